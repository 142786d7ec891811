"""A second counter, plain and slow, that makes every table of `pivotlens count` anew and compares every cell.

It follows the rules of docs/method.md#counting and shares no code with `pivotlens.count`. What it takes from the
package are lists (Korean particles and strings of them, Hebrew and Arabic prefixes, what French elides, the files of
longer and of whole words) and, with ``identify = lines``, the verdict of `pivotlens.corpus.composing.by_lines` on each
unit, asked for one unit at a time: its language, composition and type. With ``identify = label`` that is made anew too.
"""
