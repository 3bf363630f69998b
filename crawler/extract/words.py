"""Words that elements are called by (class, id, itemprop, role, tag), in groups: what they say of what is inside."""

from __future__ import annotations

# fmt: off
_GROUPS = {
    "article": """article articles story post entry artikel articolo articulo artigo noticia noticias news nota detail
        details artical arti wenzhang wz xinwen zw zhengwen show view read single blogpost blog recipe report
        reportage statya novost press release topic item""",
    "content": """content contents text txt body cont con main nr neirong contenu contenido conteudo contenuto inhalt
        copy paragraph paragraphs para prose richtext rich editor trs ueditor fulltext wysiwyg field node page
        primary center zhengwen bodytext maintext articlebody articletext articlecontent storybody storytext
        storycontent postbody postcontent entrycontent artibody contentbody newstext newscontent contenttext textblock
        textbody maincontent textcontent corpo cuerpo texto texte testo tekst obsah tresc brodtext haupttext""",
    "lead": """lead standfirst intro introduction teaser summary excerpt dek deck subtitle subhead subheadline
        subheading subtitulo sottotitolo description desc abstract chapo chapeau vorspann ingress sapo zhaiyao daoyu
        daodu lede preamble synopsis kicker bajada entradilla sumario resume zusammenfassung occhiello anrisstext
        manchet perex lid manchette sumula lead""",
    "comment": """comment comments commenting disqus reply replies discuss discussion respond kommentar kommentare
        comentario comentarios commentaires commenti pinglun liuyan livefyre coral viafoura spot feedback guestbook
        trackback trackbacks pingback response responses forum""",
    "nav": """nav navi navigation menu menus breadcrumb breadcrumbs crumb crumbs toolbar topbar navbar pagination pager
        paging pagenav skip sitemap daohang mbx weizhi location submenu dropdown tabs tab hamburger jump toc index
        prevnext pagelink""",
    "side": """sidebar side aside rail right left column col widget widgets secondary complementary sticky panel
        colright rcol seite barre lateral supplement extra extras rightcol leftcol sideblock""",
    "related": """related relate relations recommend recommended recommendation recommendations recirc recirculation
        recomend promo promos promotion promoted trending popular latest outbrain taboola mostread most teasers more
        next prev previous tuijian xiangguan hot hots guess xgyd similar also readalso readmore others other cross
        crosslink crosslinks linked links link linkbox weitere mehr themen upsell carousel swiper slider feed river list
        listing lists grid card cards rank ranking paihang interested read suggestions suggested featured collection
        series seealso ver lire leggi lesen inarticle plista revcontent ligatus zergnet morenews rel ymal""",
    "share": """share sharing shares social socials sns follow facebook twitter whatsapp bookmark addthis sharethis
        bdshare bshare fenxiang teilen compartir partager condividi print printer email mail like likes vote rating
        ratings weibo weixin wechat qrcode qr ewm pinterest telegram linkedin instagram tools tool actions action
        button buttons btn copylink save clap""",
    "ad": """ad ads adv advert adverts advertisement advertising advertorial banner banners sponsor sponsored sponsors
        dfp gpt anzeige anzeigen werbung publicidad publicite pub pubblicita reklama reklam guanggao gg adsense
        adsbygoogle adbox adslot adunit adwrapper commercial affiliate shop shopping product products deal deals
        buy price offer advertise""",
    "meta": """meta metadata byline author authors autor auteur autore autori date datetime time timestamp published pubtime
        publish pubdate updated credit credits source laiyuan info infos information tags tag label labels category
        categories keyword keywords keys posted entrymeta postmeta articleinfo statistics stats count counter views
        hits zuozhe bianji riqi shijian editor dateline signature firma datum topics topic section rubric rubrik
        overline eyebrow attribution contributor contributors reporter""",
    "caption": """caption captions figcaption gallery slideshow slide lightbox photo photos image images img picture pic
        pics bild bilder foto fotos fotogalerie galerie galeria media video videos player figure figures copyright
        legende bildunterschrift imagecaption thumb thumbnail thumbs audio podcast""",
    "foot": """footer foot copyright legal disclaimer imprint impressum bottom colophon footers banquan shengming statement
        notice footnote footnotes corrections correction contact about""",
    "head": """header head masthead logo top hd brand site global""",
    "title": """title headline heading headlines titre titel titulo titolo biaoti tit hed titulek rubrik overskrift""",
    "form": """newsletter newsletters subscribe subscription subscriptions signup login signin register registration paywall
        piano poll survey consent cookie cookies gdpr popup modal overlay onetrust quiz search form forms donate
        donation membership regwall meter abo abonnement abonnieren message alert alerts app download cta
        callout optin""",
    "bio": """bio biography profile aboutauthor authorbox authorbio authorinfo vcard about writer""",
    "fact": """factbox infobox fact facts box boxout inset timeline sidebarbox kasten infokasten table tables chart
        graphic highlights highlight keypoints takeaways glance pullquote quote zitat embed embedded tweet widgetbox
        scribble ticker liveblog live""",
    "hidden": """hidden hide sr screenreader visuallyhidden visually offscreen noprint invisible reader
        screen none d""",
}
# fmt: on
_ELEMENTS = (
    "article",
    "main",
    "section",
    "aside",
    "header",
    "footer",
    "figure",
    "table",
    "ul",
    "ol",
    "dl",
    "form",
    "blockquote",
    "h1",
    "h2",
    "figcaption",
    "details",
    "address",
    "center",
    "fieldset",
)  # fmt: skip
GROUPS = (*_GROUPS, "body", *(f"<{tag}>" for tag in _ELEMENTS))
"""Names of the bits, lowest first."""
BITS = {name: 1 << number for number, name in enumerate(GROUPS)}
"""Bit of a group by its name."""


def _words() -> dict[str, int]:
    found: dict[str, int] = {}
    for group, words in _GROUPS.items():
        for word in words.split():
            found[word] = found.get(word, 0) | BITS[group]
    return found


WORDS = _words()
"""Bits of a word in small letters."""
TAGS = {tag: BITS[f"<{tag}>"] for tag in _ELEMENTS} | {"hidden": BITS["hidden"]}
"""Bits of an element's own name."""
