"""Words of the report's test run: concept, en, fr, zh, ja, ar."""

from __future__ import annotations

LANGUAGES = ("en", "fr", "zh", "ja", "ar")

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(2)</script>",
    "<!--<script>",
    " مرحبا",
    "\u202egnp.exe",
    "\u0301\u0323",
    "👩\u200d👩\u200d👧",
    "line\u2028break\u2029end",
    "\x1b[31mred\x07",
    "\n\n",
    " ",
    "\x00nul",
    "{{ 7 * 7 }}",
    "\ufffd",
)
"""Tokens that a page must show and never obey."""

JUNK = ("s", "▁the", " of", "ing", "…", " Kass", "ſ", ")(", " mdash", " voet", "的", "eaux")

_TABLE = """
water eau 水 水 ماء
winter hiver 冬天 冬 شتاء
bank banque 银行 銀行 بنك
freedom liberté 自由 自由 حرية
dog chien 狗 犬 كلب
key clé 钥匙 鍵 مفتاح
book livre 书 本 كتاب
tree arbre 树 木 شجرة
moon lune 月亮 月 قمر
bread pain 面包 パン خبز
fire feu 火 火 نار
school école 学校 学校 مدرسة
river rivière 河 川 نهر
table table 桌子 机 طاولة
silence silence 沉默 沈黙 صمت
horse cheval 马 馬 حصان
snow neige 雪 雪 ثلج
bridge pont 桥 橋 جسر
doctor médecin 医生 医者 طبيب
window fenêtre 窗户 窓 نافذة
stone pierre 石头 石 حجر
city ville 城市 都市 مدينة
love amour 爱 愛 حب
sugar sucre 糖 砂糖 سكر
bird oiseau 鸟 鳥 طائر
night nuit 夜晚 夜 ليل
salt sel 盐 塩 ملح
king roi 国王 王 ملك
wind vent 风 風 ريح
ship navire 船 船 سفينة
"""

CONCEPTS: dict[str, dict[str, str]] = {
    words.split()[0]: dict(zip(LANGUAGES, words.split(), strict=True)) for words in _TABLE.strip().splitlines()
}
"""Displayed word of each concept by language."""
