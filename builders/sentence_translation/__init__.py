"""The sentence task: which of four sentences is the translation?"""
