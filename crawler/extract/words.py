"""Words that elements are called by (class, id, itemprop, role, tag), in groups: what they say of what is inside."""

from __future__ import annotations

# fmt: off
_GROUPS = {
    "article": """
        article articles story post entry artikel articolo articulo artigo noticia noticias news nota detail
        details artical arti wenzhang wz xinwen zw zhengwen show view read single blogpost blog recipe report
        reportage statya novost press release topic item""",
    "content": """
        content contents text txt body cont con main nr neirong contenu contenido conteudo contenuto inhalt copy
        paragraph paragraphs para prose richtext rich editor trs ueditor fulltext wysiwyg field node page
        primary center zhengwen bodytext maintext articlebody articletext articlecontent storybody storytext
        storycontent postbody postcontent entrycontent artibody contentbody newstext newscontent contenttext
        textblock textbody maincontent textcontent corpo cuerpo texto texte testo tekst obsah tresc brodtext
        haupttext""",
    "lead": """
        lead standfirst intro introduction teaser summary excerpt dek deck subtitle subhead subheadline
        subheading subtitulo sottotitolo description desc abstract chapo chapeau vorspann ingress sapo zhaiyao
        daoyu daodu lede preamble synopsis kicker bajada entradilla sumario resume zusammenfassung occhiello
        anrisstext manchet perex lid manchette sumula""",
    "comment": """
        comment comments commenting disqus reply replies discuss discussion respond kommentar kommentare
        comentario comentarios commentaires commenti pinglun liuyan livefyre coral viafoura spot feedback
        guestbook trackback trackbacks pingback response responses forum""",
    "nav": """
        nav navi navigation menu menus breadcrumb breadcrumbs crumb crumbs toolbar topbar navbar pagination
        pager paging pagenav skip sitemap daohang mbx weizhi location submenu dropdown tabs tab hamburger jump
        toc index prevnext pagelink""",
    "side": """
        sidebar side aside rail right left column col widget widgets secondary complementary sticky panel
        colright rcol seite barre lateral supplement extra extras rightcol leftcol sideblock""",
    "related": """
        related relate relations recommend recommended recommendation recommendations recirc recirculation
        recomend promo promos promotion promoted trending popular latest outbrain taboola mostread most teasers
        more next prev previous tuijian xiangguan hot hots guess xgyd similar also readalso readmore others
        other cross crosslink crosslinks linked links link linkbox weitere mehr themen upsell carousel swiper
        slider feed river list listing lists grid card cards rank ranking paihang interested read suggestions
        suggested featured collection series seealso ver lire leggi lesen inarticle plista revcontent ligatus
        zergnet morenews rel ymal""",
    "share": """
        share sharing shares social socials sns follow facebook twitter whatsapp bookmark addthis sharethis
        bdshare bshare fenxiang teilen compartir partager condividi print printer email mail like likes vote
        rating ratings weibo weixin wechat qrcode qr ewm pinterest telegram linkedin instagram tools tool
        actions action button buttons btn copylink save clap""",
    "ad": """
        ad ads adv advert adverts advertisement advertising advertorial banner banners sponsor sponsored
        sponsors dfp gpt anzeige anzeigen werbung publicidad publicite pub pubblicita reklama reklam guanggao gg
        adsense adsbygoogle adbox adslot adunit adwrapper commercial affiliate shop shopping product products
        deal deals buy price offer advertise""",
    "meta": """
        meta metadata byline author authors autor auteur autore autori date datetime time timestamp published
        pubtime publish pubdate updated credit credits source laiyuan info infos information tags tag label
        labels category categories keyword keywords keys posted entrymeta postmeta articleinfo statistics stats
        count counter views hits zuozhe bianji riqi shijian editor dateline signature firma datum topics topic
        section rubric rubrik overline eyebrow attribution contributor contributors reporter""",
    "caption": """
        caption captions figcaption gallery slideshow slide lightbox photo photos image images img picture pic
        pics bild bilder foto fotos fotogalerie galerie galeria media video videos player figure figures
        copyright legende bildunterschrift imagecaption thumb thumbnail thumbs audio podcast""",
    "foot": """
        footer foot copyright legal disclaimer imprint impressum bottom colophon footers banquan shengming
        statement notice footnote footnotes corrections correction contact about""",
    "head": """header head masthead logo top hd brand site global""",
    "title": """title headline heading headlines titre titel titulo titolo biaoti tit hed titulek rubrik overskrift""",
    "form": """
        newsletter newsletters subscribe subscription subscriptions signup login signin register registration
        paywall piano poll survey consent cookie cookies gdpr popup modal overlay onetrust quiz search form
        forms donate donation membership regwall meter abo abonnement abonnieren message alert alerts app
        download cta callout optin""",
    "bio": """bio biography profile aboutauthor authorbox authorbio authorinfo vcard about writer""",
    "fact": """
        factbox infobox fact facts box boxout inset timeline sidebarbox kasten infokasten table tables chart
        graphic highlights highlight keypoints takeaways glance pullquote quote zitat embed embedded tweet
        widgetbox scribble ticker liveblog live""",
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
            for written in (word, word.capitalize(), word.upper()):
                found[written] = found.get(written, 0) | BITS[group]
    return found


WORDS = _words()
"""Bits of a word, as class names spell it."""
TAGS = {tag: BITS[f"<{tag}>"] for tag in _ELEMENTS} | {"hidden": BITS["hidden"]}
"""Bits of an element's own name."""

# fmt: off
_STOCK = {
    "rights": """
        copyright reserved rechte droits derechos diritti reservados riservati vorbehalten 版权 版權 著作 无断
        無断 転載 права prawa icp 许可 reproduced redistributed syndication""",
    "more": """
        read related recommended mehr lesen lesetipp weiterlesen siehe lire voir leer lea leggi leia veja lees
        læs les läs czytaj zobacz читайте смотрите lue přečtěte devamı 延伸 相关 相關 推荐 推薦 更多 阅读 閱讀
        点击 點擊 查看 関連 続き 热门 熱門 精彩 trending popular latest miss plus também también anche auch
        aussi også också see also more next ook""",
    "share": """
        share shares sharing tweet facebook twitter whatsapp instagram linkedin pinterest telegram reddit email
        print teilen drucken merken partager imprimer partagez compartir imprimir compartilhar condividi stampa
        delen del dela jaa udostępnij поделиться 分享 打印 收藏 扫一 扫描 二维 微信 微博 字号 字体 关闭 シェア
        ツイート copy bookmark follow like save""",
    "comment": """
        comment comments kommentar kommentare kommentieren comentario comentarios comentar commentaire
        commentaires commenter commento commenti commenta reply replies login anmelden einloggen register
        registrieren inloggen 评论 評論 跟帖 留言 回复 回覆 网友 登录 注册 コメ ログ 댓글 комментарии log sign""",
    "subscribe": """
        subscribe subscription subscribers newsletter abo abonnieren abonnez abonnement suscríbete suscribirse
        iscriviti prenumerera 订阅 订閱 关注 公众 公眾 premium paywall donate donation unterstützen trial
        download 下载 下載 客户 cookie cookies consent javascript browser werbung advertisement anzeige
        publicidad publicité sponsored annonce reklama 广告 廣告 広告 app free support exclusive""",
    "byline": """
        by von par por di door af av autor autora auteur autore author written words text 作者 记者 記者 编辑
        編輯 責任 责任 责编 来源 來源 稿源 原标 原標 校对 审核 摄影 攝影 通讯 通訊 编译 供稿 声明 聲明 免责 本报
        editor editing reporting contributed correspondent redaktion redakteur""",
    "date": """
        updated aktualisiert stand veröffentlicht published posted publié publicado pubblicato aggiornato
        oppdatert opdateret uppdaterad publisert gepubliceerd ago lesezeit minuten 发布 發布 发表 發表 更新 时间
        時間 配信 公開 작성 입력 monday tuesday wednesday thursday friday saturday sunday montag dienstag
        mittwoch donnerstag freitag samstag sonntag""",
    "credit": """
        getty reuters ap afp shutterstock alamy istock epa dpa imago unsplash photo photos foto fotos bild image
        images credit courtesy screenshot photograph picture pictures video watch gallery galerie 图片 圖片 资料
        图为 图源 视频 視頻 组图 写真 画像 사진 фото zdjęcie kuva""",
    "crumb": """
        home start startseite startsida inicio accueil 首页 首頁 当前 您的 位置 tag tags themen topics topic
        category categories filed 标签 標籤 关键 關鍵 schlagworte 上一 下一 尾页 previous prev back zurück
        weiter top contents カテ ホーム 一覧""",
}
# fmt: on
KINDS = {name: number for number, name in enumerate(_STOCK, 1)}
"""Numbers of the kinds of words that stand around articles; 0 is none."""
STOCK = {word: KINDS[kind] for kind in reversed(_STOCK) for word in _STOCK[kind].split()}
"""Kind of a word in small letters, or of a pair of characters of scripts without blanks."""
