"""Plain sentences that have nothing to do with translating: does taking a pivot out disturb the model elsewhere?"""

TEXTS = (
    "The meeting was moved to Thursday because half of the team was still on the train.",
    "She closed the window, put the kettle on and waited for the rain to stop.",
    "Le musée est fermé le lundi, mais les jardins restent ouverts toute l'année.",
    "Mon frère a réparé son vélo avant de partir en vacances avec ses amis.",
    "Der Zug nach Hamburg fährt heute zehn Minuten später von Gleis sieben ab.",
    "Wir haben gestern lange gekocht und danach noch einen alten Film gesehen.",
    "El mercado abre temprano y los vecinos compran fruta y pan cada mañana.",
    "Ayer llegamos tarde a casa porque perdimos el último autobús de la noche.",
    "他每天早上七点起床,先跑步,然后吃早饭去上班。",
    "这家书店不大,但是老板对每一本书都很熟悉。",
    "週末は友達と山に登って、夜は温泉に入りました。",
    "この町には古い神社があり、春には桜がきれいです。",
)
"""Two in each language of the bundled benchmark."""
