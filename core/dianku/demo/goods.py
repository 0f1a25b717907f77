"""What the demonstration shop carries: a convenience store's goods, all invented.

Names are such as any Chinese corner shop has, without a brand; barcodes begin with 6999, look
like real EAN-13 codes (their check digits are right) and belong to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from attrs import frozen

from dianku.catalog.requests import (
    NewBarcode,
    NewCategory,
    NewChannel,
    NewComponent,
    NewProduct,
    NewStore,
    OpenPrice,
)

SHOP = "XQ01"
WAREHOUSE = "ZC01"
ONLINE = "wechat"

STORES = (
    NewStore(code=SHOP, name="小巷便利店", timezone="Asia/Shanghai", day_cutoff="04:00"),
    NewStore(
        code=WAREHOUSE,
        name="总仓",
        kind="warehouse",
        timezone="Asia/Shanghai",
        day_cutoff="04:00",
    ),
)
CHANNELS = (NewChannel(name=ONLINE, kind="webhook", policy="strict", stores=[SHOP]),)

CATEGORIES = (
    NewCategory(code="food", name="食品", overstock_days=45),
    NewCategory(code="drink", name="饮料", parent="food", low_stock=Decimal(10)),
    NewCategory(code="dairy", name="乳品", parent="food", low_stock=Decimal(6), overstock_days=10),
    NewCategory(code="snack", name="零食", parent="food", low_stock=Decimal(6)),
    NewCategory(code="instant", name="方便速食", parent="food", low_stock=Decimal(8)),
    NewCategory(code="staple", name="粮油调味", parent="food", low_stock=Decimal(3)),
    NewCategory(code="fresh", name="水果鲜食", parent="food", low_stock=Decimal(3)),
    NewCategory(code="alcohol", name="酒类", low_stock=Decimal(6)),
    NewCategory(code="home", name="日用百货", low_stock=Decimal(3), overstock_days=90),
    NewCategory(code="coffee", name="现制咖啡"),
)


@frozen
class Good:
    """One line of the list. `daily`: how many leave on an ordinary day; `pack`: per carton.

    `life`: days on the shelf, tracked by lot, 0 for goods that keep. `stored`: comes through the
    warehouse. `weighed`: by the kilogram, three decimals.
    """

    sku: str
    category: str
    name: str
    spec: str
    unit: str
    price: Decimal
    cost: Decimal
    daily: Decimal
    pack: int = 1
    life: int = 0
    stored: bool = False
    weighed: bool = False


# category | name | spec | unit | price | cost | daily | pack | life | s: by way of the warehouse
_LIST = """
drink|矿泉水|550ml|瓶|2.00|0.95|14|24||s
drink|纯净水|1.5L|瓶|3.50|1.80|4|12||s
drink|苏打水|350ml|瓶|4.00|2.10|3|24||s
drink|可乐|330ml|罐|2.80|1.75|9|24||s
drink|可乐|500ml|瓶|3.50|2.20|10|24||s
drink|无糖可乐|500ml|瓶|3.50|2.20|7|24||s
drink|柠檬汽水|500ml|瓶|3.50|2.15|5|24||s
drink|橙味汽水|500ml|瓶|3.50|2.15|4|24||s
drink|冰红茶|500ml|瓶|3.50|2.00|8|15||s
drink|茉莉花茶|500ml|瓶|4.00|2.30|5|15||s
drink|乌龙茶|500ml|瓶|5.00|3.10|5|15||s
drink|绿茶|500ml|瓶|3.50|2.00|6|15||s
drink|橙汁|300ml|瓶|5.50|3.40|3|12
drink|葡萄汁|300ml|瓶|5.50|3.40|2|12
drink|椰子水|330ml|盒|6.00|3.70|2|12
drink|运动饮料|600ml|瓶|5.00|3.10|4|15
drink|维生素饮料|500ml|瓶|5.00|3.00|4|15
drink|罐装咖啡|180ml|罐|5.50|3.50|3|24
drink|凉茶|310ml|罐|4.00|2.50|4|24
drink|酸梅汤|500ml|瓶|5.00|2.90|2|15
dairy|鲜牛奶|250ml|盒|4.50|3.00|8|1|7
dairy|鲜牛奶|950ml|盒|13.80|9.80|4|1|7
dairy|低脂牛奶|250ml|盒|4.50|3.00|3|1|7
dairy|原味酸奶|200g|杯|5.00|3.20|6|1|21
dairy|草莓酸奶|200g|杯|5.50|3.50|4|1|21
dairy|黄桃酸奶|200g|杯|5.50|3.50|3|1|21
dairy|乳酸菌饮品|100ml*5|排|9.90|6.80|3|1|30
dairy|奶酪棒|100g|袋|12.80|8.60|2|1|60
dairy|豆浆|300ml|杯|4.00|2.20|5|1|3
dairy|布丁|110g|杯|6.80|4.20|2|1|15
snack|原味薯片|75g|袋|7.50|4.80|4
snack|黄瓜味薯片|75g|袋|7.50|4.80|4
snack|番茄味薯片|75g|袋|7.50|4.80|3
snack|海苔|12g|袋|6.00|3.70|3
snack|虾条|60g|袋|4.50|2.70|3
snack|锅巴|100g|袋|5.00|2.90|2
snack|瓜子|160g|袋|8.90|5.60|3
snack|花生米|120g|袋|6.50|3.80|3
snack|开心果|100g|袋|19.90|13.50|1
snack|混合坚果|25g|袋|5.90|3.60|3
snack|牛肉干|50g|袋|15.90|10.20|1
snack|鸭脖|80g|袋|9.90|6.10|2
snack|辣条|106g|袋|4.50|2.40|5
snack|豆腐干|90g|袋|5.50|3.10|3
snack|夹心饼干|97g|盒|6.50|4.00|3
snack|苏打饼干|100g|袋|5.00|3.00|3
snack|威化饼干|58g|袋|3.50|2.00|2
snack|蛋黄派|6枚|盒|9.90|6.20|2
snack|牛奶巧克力|40g|块|7.90|5.10|2
snack|黑巧克力|40g|块|9.90|6.30|1
snack|水果软糖|70g|袋|5.50|3.20|2
snack|薄荷糖|22g|盒|8.00|4.90|3
snack|口香糖|15片|盒|6.00|3.60|3
snack|棒棒糖|12g|支|1.00|0.45|6
snack|果冻|200g|杯|4.00|2.20|2
snack|山楂片|60g|袋|3.00|1.60|2
snack|话梅|60g|袋|6.00|3.50|1
instant|红烧牛肉面|桶|桶|5.50|3.60|6|12||s
instant|老坛酸菜面|桶|桶|5.50|3.60|5|12||s
instant|海鲜面|桶|桶|5.50|3.60|3|12||s
instant|番茄鸡蛋面|桶|桶|5.50|3.60|2|12||s
instant|干拌面|120g|袋|4.50|2.80|3|24||s
instant|酸辣粉|桶|桶|7.50|4.90|3|12||s
instant|螺蛳粉|300g|袋|12.90|8.80|2
instant|自热米饭|275g|盒|17.90|12.30|1
instant|自热火锅|420g|盒|25.90|18.00|1
instant|火腿肠|50g|根|2.50|1.50|7
instant|玉米肠|40g|根|2.00|1.15|5
instant|卤蛋|35g|个|2.50|1.40|5
instant|榨菜|70g|袋|2.50|1.40|3
instant|八宝粥|360g|罐|5.50|3.60|2
staple|大米|5kg|袋|36.90|28.50|1
staple|挂面|900g|把|8.90|6.10|1
staple|面粉|2.5kg|袋|15.90|11.80|0.4
staple|菜籽油|1.8L|桶|39.90|31.00|0.5
staple|玉米油|900ml|瓶|21.90|16.50|0.4
staple|生抽|500ml|瓶|9.90|6.60|0.8
staple|老抽|500ml|瓶|9.90|6.50|0.4
staple|陈醋|420ml|瓶|6.90|4.20|0.6
staple|蚝油|510g|瓶|8.90|5.90|0.4
staple|食盐|400g|袋|3.00|1.80|1
staple|白砂糖|400g|袋|6.50|4.30|0.6
staple|辣椒酱|210g|瓶|10.90|7.50|0.7
staple|腐乳|300g|瓶|8.50|5.60|0.3
alcohol|淡爽啤酒|330ml|罐|4.00|2.60|8|24||s
alcohol|纯生啤酒|500ml|罐|7.50|5.10|6|12||s
alcohol|精酿啤酒|500ml|罐|12.90|8.90|2|12
alcohol|果味酒|330ml|瓶|9.90|6.40|2
alcohol|黄酒|600ml|瓶|15.90|11.00|0.4
alcohol|小瓶白酒|100ml|瓶|15.00|10.50|1
alcohol|干红葡萄酒|750ml|瓶|59.00|39.00|0.2
home|抽纸|3包|提|12.90|8.50|3||
home|卷纸|10卷|提|22.90|16.00|1
home|湿巾|10片|包|4.50|2.30|2
home|牙膏|120g|支|12.90|8.10|0.6
home|牙刷|软毛|支|6.90|3.50|0.6
home|洗发水|200ml|瓶|19.90|13.20|0.4
home|沐浴露|200ml|瓶|17.90|11.80|0.3
home|香皂|110g|块|5.90|3.40|0.5
home|洗衣液|1kg|瓶|19.90|13.50|0.5
home|洗洁精|500g|瓶|7.90|4.90|0.6
home|垃圾袋|45只|卷|6.90|3.70|1
home|保鲜膜|30m|卷|8.90|5.20|0.3
home|一次性杯|50只|条|6.90|3.90|0.5
home|电池|5号4粒|板|12.00|7.50|1
home|充电线|1m|根|19.90|9.80|0.4
home|雨伞|折叠|把|29.90|16.50|0.3
home|打火机|支|支|2.00|0.70|3
home|口罩|10片|包|6.00|2.90|1
home|创可贴|20片|盒|6.90|3.60|0.4
home|中性笔|0.5mm|支|2.50|1.00|1
home|笔记本|A5|本|6.90|3.40|0.4
fresh|香蕉|散称|kg|7.90|4.60|3||w
fresh|苹果|散称|kg|11.90|7.40|3||w
fresh|橙子|散称|kg|10.90|6.80|2||w
fresh|三明治|160g|个|8.90|5.60|5|1|2
fresh|饭团|120g|个|6.50|4.00|6|1|2
"""


def ean13(body: str) -> str:
    """Append the check digit to twelve figures (GS1 General Specifications, 7.9)."""
    odd = sum(int(c) for c in body[-1::-2])
    even = sum(int(c) for c in body[-2::-2])
    return f"{body}{-(3 * odd + even) % 10}"


def goods() -> tuple[Good, ...]:
    """Read the list of goods with stock of their own that the shop buys in."""
    found: list[Good] = []
    for i, line in enumerate(_LIST.strip().splitlines(), 1):
        cells = [*line.split("|"), "", "", "", ""]
        category, name, spec, unit, price, cost, daily, pack, life, mark = cells[:10]
        found.append(
            Good(
                sku=f"{category[:2].upper()}{i:03d}",
                category=category,
                name=name,
                spec=spec,
                unit=unit,
                price=Decimal(price),
                cost=Decimal(cost),
                daily=Decimal(daily),
                pack=int(pack or 1),
                life=int(life) if life.isdecimal() else 0,
                stored=mark == "s",
                weighed=unit == "kg",
            )
        )
    return tuple(found)


BEANS, CUP, EGG = "KF001", "KF002", "KF003"
COFFEE, TEA_EGG, GIFT, WRAPPING = "KF010", "KF011", "LH001", "LH002"
MATERIALS = (
    NewProduct(
        sku=BEANS,
        name="咖啡豆",
        unit="g",
        category="coffee",
        cost=Decimal("0.12"),
        low_stock=Decimal(1000),
    ),
    NewProduct(
        sku=CUP,
        name="咖啡纸杯",
        unit="只",
        category="coffee",
        cost=Decimal("0.35"),
        low_stock=Decimal(60),
    ),
    NewProduct(
        sku=EGG,
        name="鲜鸡蛋",
        unit="个",
        category="fresh",
        price=Decimal("1.20"),
        cost=Decimal("0.70"),
        low_stock=Decimal(40),
    ),
)


def composed(listed: tuple[Good, ...]) -> tuple[NewProduct, ...]:
    """What the shop makes of its goods: a coffee, a boiled egg, a gift box of snacks."""
    snacks = [g.sku for g in listed if g.category == "snack"][:4]
    return (
        NewProduct(
            sku=COFFEE,
            name="现磨美式咖啡",
            unit="杯",
            category="coffee",
            price=Decimal("9.90"),
            composition="service",
            components=[
                NewComponent(sku=BEANS, quantity=Decimal(18)),
                NewComponent(sku=CUP, quantity=Decimal(1)),
            ],
        ),
        NewProduct(
            sku=TEA_EGG,
            name="茶叶蛋",
            unit="个",
            category="fresh",
            price=Decimal("2.00"),
            composition="made",
            components=[NewComponent(sku=EGG, quantity=Decimal(1))],
        ),
        NewProduct(
            sku=GIFT,
            name="零食大礼包",
            unit="份",
            category="snack",
            price=Decimal("26.80"),
            composition="kit",
            barcodes=[NewBarcode(code=ean13("699900099001"))],
            components=[NewComponent(sku=s, quantity=Decimal(1)) for s in snacks],
        ),
        NewProduct(
            sku=WRAPPING,
            name="礼品包装",
            unit="次",
            category="snack",
            open_price=OpenPrice(min=Decimal(2), max=Decimal(20)),
            composition="service",
        ),
    )


def products() -> Iterator[NewProduct]:
    """Everything the shop's catalog holds, components before what is made of them."""
    listed = goods()
    for i, good in enumerate(listed, 1):
        yield _product(good, number=i)
    yield from MATERIALS
    yield from composed(listed)


def _product(good: Good, *, number: int) -> NewProduct:
    barcodes = [] if good.weighed else [NewBarcode(code=ean13(f"69990001{number:04d}"))]
    if good.pack > 1:
        carton = (good.price * good.pack * Decimal("0.92")).quantize(Decimal("0.01"))
        code = ean13(f"69990002{number:04d}")
        barcodes.append(NewBarcode(code=code, factor=good.pack, price=carton))
    return NewProduct(
        sku=good.sku,
        name=good.name,
        spec=good.spec,
        unit=good.unit,
        category=good.category,
        price=good.price,
        cost=good.cost,
        precision=3 if good.weighed else 0,
        barcodes=barcodes,
        track_lots=good.life > 0,
        shelf_life_days=good.life or None,
    )
