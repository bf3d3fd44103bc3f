"""Languages of mBART-large-cc25, in the order of their ids."""

from __future__ import annotations

from mmsign.errors import DataError

LANGUAGE_CODES: tuple[str, ...] = (
    'ar_AR',
    'cs_CZ',
    'de_DE',
    'en_XX',
    'es_XX',
    'et_EE',
    'fi_FI',
    'fr_XX',
    'gu_IN',
    'hi_IN',
    'it_IT',
    'ja_XX',
    'kk_KZ',
    'ko_KR',
    'lt_LT',
    'lv_LV',
    'my_MM',
    'ne_NP',
    'nl_XX',
    'ro_RO',
    'ru_RU',
    'si_LK',
    'tr_TR',
    'vi_VN',
    'zh_CN',
)


def check_language(code: str) -> str:
    """Return ``code``.

    Raises:
        ValueError: If mBART has no such language.
    """
    if code not in LANGUAGE_CODES:
        raise DataError(
            f'unknown language code {code!r}; mBART knows {", ".join(LANGUAGE_CODES)}'
        )
    return code


def finish_sentence(text: str, code: str) -> str:
    """What a decoded sentence needs to look like the corpora's.

    The German texts separate the final period by a space.
    """
    if code == 'de_DE' and len(text) > 1 and text[-1] == '.' and text[-2] != ' ':
        return f'{text[:-1]} .'
    return text
