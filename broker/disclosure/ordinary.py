"""Names that are everyday English words too: they name somebody only where they are written as a name."""

from __future__ import annotations

# Words of a school's notices that are somebody's first or family name somewhere, in plain letters and lower case.
_WORDS = """
    a abbey able abu ace alder all also am amber an and angel any apr april archer are art as ash aspen
    at aug august autumn avenue back baker ball band banks barber barker barnes baron bay be bean beck
    been bell belle bench berry best bill bin birch bird bishop black blade blaze blessing bliss bloom
    blossom blue bond booth bow bowl brand bridge bridges bright bring brook brooks brown buck bud bull
    burn burns bush but butcher butler by can carol carpenter carter case cash chance chapel chapman
    charity chase cherry child children choir church class clay clement cliff close club coach coat cole
    come concert cook cooper coral cotton could court craft crane crisp cross crown crystal curry
    curtain daisy dale dawn day days dean dear dec december dew dexter diamond dick did divine do dove
    down drake draper drew drum duke dusty dyer each earl early east eden ember end even ever faith
    falcon farmer faye feb february fern field fields finch first fisher fleet flint flora flower
    flowers for ford forest forester form fortune foster fountain fox frank franklin freeman french fri
    friday from frost fuller gale garden gardener gardner gate gates gay gem gene get gift ginger give
    glen glory go golden good goodman gore grace grand grant grave graves gray great green grey grove
    guy had hale hall ham hammer hand hands hardy harmony harp harper hart harvest has have haven hawk
    hay hazel he head heath heather heaven her hi hill hills him his ho holiday holland holly holmes
    home honey honor honour hood hook hope house how hull hunt hunter i idle if in into iris is it its
    ivory ivy jade jan january jasmine jasper jay jean jet jewel joy judge jul july jun june junior just
    justice key keys kind king kings kit knight lake lamb land lane lark last laurel law lea leaf leaves
    lee left legend lesson lessons levy liberty light lightfoot like lilac lily link lion little lo lock
    london long lord lot love low luck lucky lunch lynx lyric made main major make mallet man many mar
    marble march mark marks marsh marshal mason master match may me mead melody mercer mercy mile miles
    mill miller mills miner mint miracle mist mon monday moon moor moral more morning moss most mount
    much music my myrtle name neat new newman nice nightingale no noble north not nov november now oak
    oakes ocean oct october of off office olive on one only opal or orchard other our out over own pace
    page paige pain paine palm palmer parent parents parish park parker parks parson part pat patience
    peace peach peacock pearl penny people pepper phoenix pickle piece pierce piers pike pine piper
    place pleasant plum pool pope poppy porter post potter pound powers practice presence price pride
    prince prior proper prudence pupil pupils purchase queen quick quill rain raven ray read reader real
    reason red reed reef reeve reeves rehearsal rest rich river rivers road rob robin rock rod rose
    rosemary rover row rowan royal ruby rue ruff rush rusty sable sage said saint salmon same sand sandy
    sat saturday say scarlet scholar school schools sea season see senior sep september serene shade
    share sharp she shepherd shore short silver sing skipper sky slater small smart snow so sole solo
    some son song sore south spark sparks sparrow speed spence sports spring staff star stark steel
    sterling stern stock stone stones storm story strange street strong sue summer summers sun sunday
    sunny swan sweet swift tailor tanner team temple tender term than that thatcher the their them then
    there these they this thorn those thu thursday tiger till time tiny to today tone too townsend
    trinity trip true trust truth tue tuesday turner two uniform up us use vale valentine valley van
    veil venture verity very victor victory vine viola violet virtue wade wait walker wall walls ward
    warden ware warner warren was water waters wave way we weaver wed wednesday week weeks well wells
    were west what wheeler when where which while whistler white who whole why wild will willow wills
    win winner winter winters wise with wolf wood woods woody word worth would wren yard yarrow year
    years you young your zest
"""
ORDINARY = frozenset(_WORDS.split())
