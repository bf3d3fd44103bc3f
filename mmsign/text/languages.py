"""Languages of mBART-large-cc25, in the order of their ids."""

LANGUAGE_CODES: tuple[str, ...] = (
    'ar_AR', 'cs_CZ', 'de_DE', 'en_XX', 'es_XX', 'et_EE', 'fi_FI',
    'fr_XX', 'gu_IN', 'hi_IN', 'it_IT', 'ja_XX', 'kk_KZ', 'ko_KR',
    'lt_LT', 'lv_LV', 'my_MM', 'ne_NP', 'nl_XX', 'ro_RO', 'ru_RU',
    'si_LK', 'tr_TR', 'vi_VN', 'zh_CN',
)  # fmt: skip


def finish_sentence(text: str, language: str) -> str:
    """Write a decoded sentence as the corpora of its language do.

    German ones end with the full stop as a word of its own; nothing else changes.

    Args:
        text: The sentence.
        language: mBART's code or a dataset's ``language``: ``de_DE``, ``de``, ….

    Examples:
        >>> finish_sentence('am tag regnet es.', 'de_DE')
        'am tag regnet es .'
    """
    body = text.rstrip()
    if language[:2] != 'de' or body[-1:] != '.' or body[-2:] in ('.', ' .'):
        return text
    return f'{body[:-1]} .'
