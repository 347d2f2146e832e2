"""Words that say nothing about what a text is about, in the languages most written."""
# ruff: noqa: RUF001 - letters and signs of all scripts

from typing import Final

_WORDS: Final = {
    "English": """
        a about after again ain all also am an and any are aren as at be because been before being
        both but by can cannot could couldn d did didn do does doesn doing don down each few for
        from further get got had hadn has hasn have haven having he her here hers herself him
        himself his how i if in into is isn it its itself just ll m me might more most much must my
        myself no nor not now of off oh ok okay on once only or other our ours out over own re
        really s same shall she should shouldn so some such t than that the their theirs them
        themselves then there these they this those through to too under until up us ve very was
        wasn we were weren what when where which while who whom whose why will with won would
        wouldn yeah yes you your yours yourself
        """,
    "German": """
        aber alle als also am an auch auf aus bei beim bin bis bist da damit dann das dass dein dem
        den denn der des dich die dir doch du durch ein eine einem einen einer eines er es etwas
        euch fur gegen hab habe haben hast hat hatte hatten hier ich ihm ihn ihnen ihr ihre im in
        ins ist ja jetzt kann kein keine mal man mehr mein meine meinem meinen meiner mich mir mit
        nach nicht noch nun nur ob oder schon sehr sein seine seinem seinen seiner sich sie sind so
        uber um und uns unser unter vom von vor wann war waren warum was weil welche welchem
        welchen welcher welches wenn wer werden wie wieder wird wo wurde zu zum zur
        """,
    "French": """
        ai ainsi au aux avec c ce ces cet cette comment d dans de des donc du elle elles en encore
        est et eux il ils j je l la le les leur leurs lui m ma mais me mes moi mon n ne nos notre
        nous on ont ou par pas plus pour pourquoi qu quand que quel quelle quelles quels qui quoi s
        sa se ses si son sont sur t ta te tes toi ton tres tu un une vos votre vous y
        """,
    "Spanish": """
        al algo como con cual cuando de del desde donde el ella ellas ellos en era eran es esa ese
        eso esta estaba estan estas este esto estoy fue ha han hasta hay he la las le les lo los
        mas me mi mis muy no nos o para pero por porque que quien se ser si sin sobre son su sus
        tambien te tiene tu tus un una uno unos y ya yo
        """,
    "Italian": """
        agli ai al alla alle anche c che chi ci come con cosa da dal dalla dei del della delle di
        dove e ed era gli ha hai hanno ho i il in io l la le lei lo loro lui ma mi mia mio ne nei
        nel nella noi non o per perche piu quale quando quella quello questa questo se sei si sono
        su sua sul sulla suo ti tra tu un una uno
        """,
    "Portuguese": """
        ao aos as com como da das de do dos e ela elas ele eles em entre era essa esse esta este eu
        foi isso ja la lhe mais mas me meu minha muito na nas nao nem no nos nossa o os ou para
        pela pelo por porque qual quando que quem se sem ser seu sua sao so tambem te tem um uma
        voce
        """,
    "Dutch": """
        aan al als bij dan dat de der deze die dit door een en er haar had heb hebben heeft het hij
        hoe hun ik in is je jij kan maar me met mijn naar niet nog of om onder ons ook op over te
        toen tot uit van veel voor waar wanneer wat we wel welke werd wie wij worden ze zich zij
        zijn zo
        """,
    "Russian": """
        а без бы был была были было быть в вам вас весь во вот все всего вы где да для до его ее ей
        ему если есть еще же за и из или им их к как какая какие какой когда кого которая которые
        который кто ли меня мне мои мой моя мы на над нас не него нее нет ни них но ну о об он она
        они оно от по под почему при про с со так там тебе тебя тем то тоже только том тот ты у уже
        чего чем что чтобы это этого этот я
        """,
    "Polish": """
        ale bo byl byla bylo byly by co czy dla do gdy gdzie go i ich ja jak jaka jaki jakie jako
        jego jej jest juz kiedy kto ktora ktory ktore ma mi mnie moja moje moj na nad nie o od on
        ona oni po pod przez sa sie ta tak tam te tego ten to tu ty w we z za ze
        """,
    "Swedish": """
        alla att av blev de dem den det detta dig din du efter eller en er ett for fran han hans
        har hon hur i inte jag kan man med mig min mot nar ni nu och om pa sa sig sin som till
        under upp ut vad var vem vi vid
        """,
    "Turkish": """
        ama bana ben beni bir biz bu cok da daha de diye en gibi hem her hic icin ile ise kadar ki
        kim mi mu ne neden nasil nerede o ona onu sen siz su ve veya ya
        """,
}

STOPWORDS: Final = frozenset(word for words in _WORDS.values() for word in words.split())
"""Lower case, without accents."""
