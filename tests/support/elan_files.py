"""A file as ELAN 6 writes it: two videos, several tiers, annotations without times."""

from __future__ import annotations

from pathlib import Path

from tiny_video import write_video

EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="Änne" DATE="2024-05-02T10:11:12+01:00" FORMAT="3.0" \
VERSION="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
    <LICENSE LICENSE_URL=""/>
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Aufnahmen/vorn%20ü.mp4" \
MIME_TYPE="video/mp4" RELATIVE_MEDIA_URL="./vorn%20ü.mp4"/>
        <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Aufnahmen/ton.wav" \
MIME_TYPE="audio/x-wav" RELATIVE_MEDIA_URL="./ton.wav"/>
        <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Aufnahmen/seite.mp4" \
MIME_TYPE="video/mp4" RELATIVE_MEDIA_URL="../seite.mp4" TIME_ORIGIN="40"/>
        <PROPERTY NAME="URN">urn:nl-mpi-tools-elan-eaf:1</PROPERTY>
        <PROPERTY NAME="lastUsedAnnotationId">12</PROPERTY>
    </HEADER>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="80"/>
        <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="81"/>
        <TIME_SLOT TIME_SLOT_ID="ts3"/>
        <TIME_SLOT TIME_SLOT_ID="ts4"/>
        <TIME_SLOT TIME_SLOT_ID="ts5" TIME_VALUE="381"/>
        <TIME_SLOT TIME_SLOT_ID="ts6" TIME_VALUE="480"/>
        <TIME_SLOT TIME_SLOT_ID="ts7" TIME_VALUE="1683"/>
        <TIME_SLOT TIME_SLOT_ID="ts8" TIME_VALUE="1700"/>
        <TIME_SLOT TIME_SLOT_ID="ts9" TIME_VALUE="1900"/>
        <TIME_SLOT TIME_SLOT_ID="ts10" TIME_VALUE="1999"/>
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF="default-lt" PARTICIPANT="Änne" TIER_ID="Übersetzung">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" \
TIME_SLOT_REF2="ts6">
                <ANNOTATION_VALUE>Die Sonne scheint &amp; wärmt.</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts7" \
TIME_SLOT_REF2="ts10">
                <ANNOTATION_VALUE>Es regnet.</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="zeit" PARENT_REF="Übersetzung" TIER_ID="GLOSS">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts2" \
TIME_SLOT_REF2="ts3">
                <ANNOTATION_VALUE>SONNE</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a4" TIME_SLOT_REF1="ts3" \
TIME_SLOT_REF2="ts4">
                <ANNOTATION_VALUE>WÄRME</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a5" TIME_SLOT_REF1="ts4" \
TIME_SLOT_REF2="ts5">
                <ANNOTATION_VALUE>SONNE  DA</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a6" TIME_SLOT_REF1="ts8" \
TIME_SLOT_REF2="ts9">
                <ANNOTATION_VALUE>REGEN</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a7" TIME_SLOT_REF1="ts9" \
TIME_SLOT_REF2="ts10">
                <ANNOTATION_VALUE></ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="teile" PARENT_REF="Übersetzung" TIER_ID="Wörter">
        <ANNOTATION>
            <REF_ANNOTATION ANNOTATION_ID="a9" ANNOTATION_REF="a1" \
PREVIOUS_ANNOTATION="a8">
                <ANNOTATION_VALUE>scheint</ANNOTATION_VALUE>
            </REF_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <REF_ANNOTATION ANNOTATION_ID="a8" ANNOTATION_REF="a1">
                <ANNOTATION_VALUE>Sonne</ANNOTATION_VALUE>
            </REF_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="eins" PARENT_REF="Wörter" TIER_ID="Wortart">
        <ANNOTATION>
            <REF_ANNOTATION ANNOTATION_ID="a10" ANNOTATION_REF="a9">
                <ANNOTATION_VALUE>Verb</ANNOTATION_VALUE>
            </REF_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="default-lt" PARTICIPANT="Ben" TIER_ID="leer"/>
    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" \
TIME_ALIGNABLE="true"/>
    <LINGUISTIC_TYPE CONSTRAINTS="Time_Subdivision" GRAPHIC_REFERENCES="false" \
LINGUISTIC_TYPE_ID="zeit" TIME_ALIGNABLE="true"/>
    <LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Subdivision" GRAPHIC_REFERENCES="false" \
LINGUISTIC_TYPE_ID="teile" TIME_ALIGNABLE="false"/>
    <LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Association" GRAPHIC_REFERENCES="false" \
LINGUISTIC_TYPE_ID="eins" TIME_ALIGNABLE="false"/>
    <CONSTRAINT DESCRIPTION="1-1 association with a parent annotation" \
STEREOTYPE="Symbolic_Association"/>
</ANNOTATION_DOCUMENT>
"""


def write_recordings(folder: Path, eaf: str = EAF, seconds: float = 2.0) -> Path:
    """``tag/rec.eaf`` with its two videos of 25 frames a second; its path."""
    inside = folder / 'tag'
    inside.mkdir(parents=True, exist_ok=True)
    path = inside / 'rec.eaf'
    path.write_text(eaf, encoding='utf-8')
    for video in (inside / 'vorn ü.mp4', folder / 'seite.mp4'):
        write_video(video, round(25 * seconds))
    return path
