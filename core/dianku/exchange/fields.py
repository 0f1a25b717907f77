"""What a column may be, by each of its names in the trade, in Chinese and English.

A field's names are ranked: the first is what exports write, later ones count for less, so that of
"零售价" and "折扣价" the list price is the price. A name matches a heading as a whole, after its
marks and notes ("（必填）", "*", "(元)") are taken off; a heading with words around a name
("店内一级分类") matches only where the field says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from attrs import frozen

from dianku.exchange.reading import BLANKS
from dianku.exchange.records import ImportKind


@frozen
class Field:
    """A field of an import.

    Attributes:
        names: Headings, best first, as `heading_key` makes them.
        endings: A heading that ends so matches too, after all names.
        shape: What its cells look like: code, text, number, whole, date, days, truth.
    """

    name: str
    shape: str
    names: tuple[str, ...]
    endings: tuple[str, ...] = ()


def _field(name: str, shape: str, names: str, endings: str = "") -> Field:
    return Field(
        name,
        shape,
        tuple(heading_key(part) for part in names.split("|")),
        tuple(heading_key(part) for part in endings.split("|") if part),
    )


_NOTE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|<[^<>]*>|〈[^〈〉]*〉")
_OPEN_NOTE = re.compile(r"[(\[【〔].*$")
_TRADITIONAL = str.maketrans(
    "編號稱條碼價類別單數庫貨產門倉規進銷額時間盤點實際現總計國標設備註應顏組屬級質壽離營業帳結賬"
    "櫃區貿電話廠轉換積壓構成過據來預訂訊導飲無傳匯儲區圖書週劃適貼餘剩轄權績齡購買賣",
    "编号称条码价类别单数库货产门仓规进销额时间盘点实际现总计国标设备注应颜组属级质寿离营业账结账"
    "柜区贸电话厂转换积压构成过据来预订讯导饮无传汇储区图书周划适贴余剩辖权绩龄购买卖",
)
"""Traditional characters of headings, so that a list from Taiwan or Hong Kong needs no editing."""
_MARKS = re.compile(r"[*＊★☆●※#:：。!！?？、,，;；_\-—/|.\"'“”‘’]+")
_WORDS = re.compile(r"(必填|选填|必选|可选|可不填|不填|required|optional)", re.IGNORECASE)


# Each heading is held against every field, and each of the first rows may be one.
@lru_cache(maxsize=4096)
def heading_key(heading: str) -> str:
    """A heading without case, width, blanks, marks and notes: "名称（必填）" is "名称"."""
    text = unicodedata.normalize("NFKC", heading).strip(BLANKS).lower().translate(_TRADITIONAL)
    text = _spared(_NOTE.sub(" ", text), text)
    text = _spared(_OPEN_NOTE.sub(" ", text), text)
    text = _spared(_WORDS.sub(" ", text), text)
    return _MARKS.sub("", "".join(text.split()))


def _spared(shortened: str, text: str) -> str:
    """A heading that is all note ("【库存】") keeps its words."""
    return shortened if shortened.strip() else text


_SKU = (
    "商品编码|sku|sku编码|商品编号|商品代码|货号|商品货号|产品编码|产品编号|产品代码|货品编码"
    "|货品编号"
    "|物料编码|物料编号|存货编码|存货编号|品号|自编码|店内码|商品自编码|商家编码|商家sku"
    "|商家商品编码"
    "|外部编码|商家自定义编码|第三方编码|编码|编号|代码|sku code|item code|item no|item number"
    "|item|product code|product id|product no|productno|article|article no|article number"
    "|stock code"
    "|stockcode|style no|code|part number|plu|id"
    "|商品号|产品号|货品号|内部编码|内部货号|自定义编码|商品自定义编码|内码|art no"
    "|article nr|product ref|stock no"
    "|internal code"
)
_BARCODE = (
    "条码|barcode|商品条码|条形码|商品条形码|国标码|国际条码|国际码|69码|产品条码|货品条码"
    "|主条码|一维码"
    "|单品条码|upc|ean|upc/ean|gtin|ean13|upc编码|upc码|商品upc|upc code|ean code|bar code"
    "|扫码|条码号|sku条码"
    "|国际条形码|产品条形码|69条码|ean8|gtin13|gtin14|upca|barcodes"
    "|barcode number|barcode no|bar code no"
)
_NAME = (
    "名称|name|商品名称|品名|商品名|产品名称|产品名|货品名称|货名|物料名称|存货名称|商品标题"
    "|标题|宝贝标题"
    "|中文名称|全称|商品全称|product name|item name|product|title|description|item description"
    "|article name|goods name|goods"
    "|item|商品|产品|货品|货物名称|菜品名称|项目名称|品项|item title"
    "|product title|article description|article"
)
_PRICE = (
    "售价|price|零售价|销售价|标准售价|基本售价|门店售价|零售价格|销售价格|销售单价|零售单价"
    "|标价|定价|商品价格"
    "|价格|单价|商品售价|原价|商品原价|门市价|挂牌价|吊牌价|市场吊牌价|市场价|建议零售价|卖价"
    "|现价|活动价|折扣价"
    "|retail price|selling price|sale price|sales price|unit price|list price|unitprice|rrp|msrp"
    "|零售|含税售价|销价|门店价|店内价|retail|selling|sell price|regular price"
    "|our price|price each|unit retail"
)
_COST = (
    "成本|cost|成本价|进价|进货价|采购价|成本单价|进货单价|采购单价|参考进价|参考成本"
    "|成本价格|进货价格|采购价格"
    "|采购成本|标准成本|平均成本|最近进价|最新进价|入库单价|入库价|供货价|cost price"
    "|purchase price|unit cost|buying price"
    "|单位成本|成本均价|进货均价|含税进价|进货成本|cost each|buy price"
    "|purchase cost|supplier price|avg cost"
    "|average cost"
)
_CATEGORY = (
    "分类|category|商品分类|类别|商品类别|分类名称|商品分类名称|类别名称|品类|产品分类"
    "|产品类别|货品分类|店内分类"
    "|店内一级分类|所属分类|一级分类|大类|分组|商品分组|商品组|类目|一级类目|商品类目|部门"
    "|category name|product category"
    "|product type|group|department|type|店内二级分类|二级分类|三级分类|虚拟分类"
    "|商品大类|商品中类|商品小类|中类|小类|cat|categories|classification"
    "|class|section|dept|department name"
)
_STORE = (
    "门店|store|仓库|店铺|门店名称|仓库名称|门店编码|门店编号|仓库编码|仓库编号|店铺名称|机构"
    "|分店|所属门店|所属仓库"
    "|入库仓库|出库仓库|入库门店|仓储|仓|store code|store id|store name|shop|warehouse"
    "|location|branch|site"
    "|门店号|店号|所在门店|outlet|shop name|branch name|store no|store number"
)

_UNIT = (
    "单位|unit|计量单位|基本单位|销售单位|库存单位|主单位|商品单位|单位名称|最小单位|uom"
    "|unit of measure|计价单位|measure|units of measure|unit name"
)
_SPEC = (
    "规格|spec|商品规格|规格型号|规格名称|颜色规格|颜色及规格|颜色尺码|销售规格|型号规格"
    "|规格描述|包装规格|specification|variant|size|型号|净含量|尺码|容量|pack size|option|options"
    "|variant name"
)

_KEYS = (_field("sku", "code", _SKU), _field("barcode", "code", _BARCODE))
_PLATFORM = _field(
    "platform_id",
    "code",
    "商品id|商品skuid|skuid|平台商品id|平台id|spuid|spu|宝贝id|item id|goods id|商品spuid"
    "|platform id",
)
_PRODUCT_FIELDS = (
    *_KEYS,
    _field("name", "text", _NAME),
    _field("spec", "text", _SPEC),
    _field("unit", "text", _UNIT),
    _field("display_unit", "text", "大单位|display unit|显示单位|包装单位|辅助单位|整件单位"),
    _field("display_factor", "whole", "大单位换算|display factor|换算率|换算系数|单位换算|包装数"),
    _field("category", "text", _CATEGORY, "一级分类|商品分类|一级类目"),
    _field(
        "category_code", "text", "分类编码|category code|分类编号|类别编码|类别编号|商品分类编码"
    ),
    _field("barcodes", "code", "全部条码|all barcodes"),
    _field("price", "number", _PRICE),
    _field("open_price_min", "number", "最低售价|open price min|最低价|最低限价"),
    _field("open_price_max", "number", "最高售价|open price max|最高价|最高限价"),
    _field("cost", "number", _COST),
    _field("precision", "whole", "小数位|precision|数量小数位|小数位数"),
    _field("track_lots", "truth", "批次管理|track lots|管理批次|是否批次管理|启用批次"),
    _field(
        "shelf_life_days",
        "days",
        "保质期|shelf life days|保质期天|保质期天数|保质天数|有效期天数|shelf life"
        "|保质期限|质保期|保鲜期|保存期",
    ),
    _field(
        "low_stock",
        "number",
        "库存下限|low stock|最低库存|安全库存|预警库存|库存预警|最小库存|库存预警值"
        "|最低库存量|库存警戒线|警戒库存|预警下限|reorder point|min stock"
        "|minimum stock|reorder level"
        "|reorder|reorder at|low stock alert|min qty|minimum quantity",
    ),
    _field("max_stock", "number", "库存上限|max stock|最高库存|最大库存|maximum stock"),
    _field("overstock_days", "days", "积压天数|overstock days"),
    _field("composition", "text", "构成|composition|组合类型"),
    _field("components", "code", "组成|components|组合明细|配方"),
    _field(
        "family", "text", "款号|family|款式编码|款式编号|系列|spu编码|商品款号|style|style code"
    ),
    _PLATFORM,
    _field(
        "stock",
        "number",
        "库存|stock|库存量|库存数|库存数量|当前库存|现有库存|现存量|现存|期初库存|初始库存"
        "|实际库存"
        "|可用库存|可售库存|总库存|商品库存|on hand|quantity on hand|stock on hand|qty"
        "|quantity|数量|inventory|结存|结存数量|存量|剩余库存"
        "|剩余数量|库存余量|账面数量|账面库存|盘存数量"
        "|in stock|stock level|stock qty|stock quantity|current stock"
        "|qty on hand|units in stock|soh|qoh",
    ),
)
_LOT_FIELDS = (
    _field(
        "lot",
        "code",
        "批次|lot|批号|生产批号|批次号|batch|batch no|lot number|lot no|batch code|batch number",
    ),
    _field(
        "made_on", "date", "生产日期|made on|制造日期|production date|mfg date|manufacture date"
    ),
    _field(
        "expires_on",
        "date",
        "到期日|expires on|有效期至|到期日期|有效期|失效日期|过期日期|保质期至|expiry|expiry date"
        "|有效日期|失效期|best before|expiration date|expire date|exp date|expiration|use by",
    ),
)
_NAMED = (
    _field("name", "text", _NAME),
    _field("spec", "text", _SPEC),
    _field("unit", "text", _UNIT),
)
_STORE_FIELD = _field("store", "text", _STORE)

FIELDS: Mapping[ImportKind, tuple[Field, ...]] = {
    "products": _PRODUCT_FIELDS,
    "opening-stock": (
        *_KEYS,
        _STORE_FIELD,
        _field(
            "quantity",
            "number",
            "现存|on hand|库存|期初库存|库存数量|库存量|库存数|初始库存|期初数量|当前库存"
            "|现有库存|现存量"
            "|实际库存|账面库存|总库存|可用库存|数量|stock|stock on hand|quantity on hand|qty"
            "|quantity|inventory|结存|结存数量|存量|剩余库存|剩余数量|库存余量|账面数量|盘存数量"
            "|in stock|stock level|stock qty|stock quantity|current stock"
            "|qty on hand|units in stock|soh|qoh",
            "库存|库存数量",
        ),
        _field("cost", "number", _COST),
        *_LOT_FIELDS,
        *_NAMED,
        _PLATFORM,
    ),
    "receipts": (
        *_KEYS,
        _STORE_FIELD,
        _field(
            "quantity",
            "number",
            "数量|quantity|入库数量|入库数|进货数量|采购数量|到货数量|收货数量|实收数量|实收"
            "|入库量"
            "|进货数|进货量|到货数|到货量|实到数量|实收数|received|qty|received qty"
            "|qty received|quantity received"
            "|received quantity|delivered",
            "入库数量|收货数量|进货数量",
        ),
        _field("cost", "number", _COST + "|单价|price|unit price"),
        _field(
            "amount",
            "number",
            "金额|amount|进货金额|采购金额|入库金额|成本金额|合计金额|总金额|小计|total|line total",
        ),
        _field(
            "supplier",
            "text",
            "供应商|supplier|供应商名称|供货商|供货商名称|供货单位|往来单位|厂商|vendor"
            "|supplier name|vendor name",
        ),
        _field(
            "reference",
            "code",
            "单据号|reference|单号|入库单号|入库单据|采购单号|进货单号|来源单号|凭证号"
            "|document|document no"
            "|order no|invoice|invoice no",
        ),
        _field(
            "time",
            "date",
            "时间|time|日期|date|入库时间|入库日期|进货日期|单据日期|到货日期|收货日期|制单日期",
        ),
        *_LOT_FIELDS,
        *_NAMED,
        _PLATFORM,
    ),
    "counts": (
        *_KEYS,
        _STORE_FIELD,
        _field(
            "quantity",
            "number",
            "盘点数量|counted|实盘数量|实盘|实盘数|盘点数|盘点库存|盘点量|实际数量|实点数量"
            "|实存|实存数量"
            "|实际库存|点数|盘点结果|清点数量|清点数|实数|盘存数量|盘存数|数量|count"
            "|counted qty|counted quantity"
            "|count qty|actual|actual qty|actual quantity|physical count"
            "|physical qty|quantity|qty|库存",
            "盘点数量|实盘数量|盘点数",
        ),
        _field("reference", "code", "单据号|reference|单号|盘点单号|盘点单据|document"),
        _field("time", "date", "时间|time|盘点时间|日期|date|盘点日期|counted at"),
        _field("lot", "code", "批次|lot|批号|批次号|batch"),
        *_NAMED,
        _PLATFORM,
    ),
    "sales-history": (
        *_KEYS,
        _STORE_FIELD,
        _field(
            "time",
            "date",
            "时间|time|日期|date|销售时间|销售日期|下单时间|交易时间|支付时间|订单时间"
            "|营业日期|单据日期|业务日期"
            "|结账时间|收银时间|结算时间|成交时间"
            "|sold at|sale date|order date|invoicedate|invoice date|datetime|timestamp|day"
            "|date sold|sale time|order time|transaction date|transaction time|business date",
        ),
        _field(
            "quantity",
            "number",
            "数量|quantity|销售数量|出库数量|销量|销售量|售出数量|商品数量|qty|units"
            "|销售件数|件数|销数|units sold|sales|sold|qty sold|quantity sold|sold qty",
        ),
        _field(
            "amount",
            "number",
            "金额|amount|销售金额|销售额|实收金额|实付金额|成交金额|小计|营业额|revenue|total"
            "|成交额|销售总额|金额合计|合计金额|实收|sales amount|net sales"
            "|gross sales|sales value|line total"
            "|total amount|total price|turnover",
        ),
        _field("price", "number", _PRICE),
        _field("cost", "number", _COST),
        _field("channel", "text", "渠道|channel|销售渠道|订单来源|来源|平台"),
        _field("promotion", "text", "促销|promotion|活动|促销活动|promo"),
        _field(
            "stock_at_close",
            "number",
            "日末库存|stock_at_close|stock at close|闭店库存|期末库存|closing stock|日终库存",
        ),
        *_NAMED,
        _PLATFORM,
    ),
}
"""The fields of each kind of import; an earlier field has the first choice of a column."""

ESSENTIAL: Mapping[ImportKind, tuple[tuple[str, ...], ...]] = {
    "products": (("sku", "barcode", "platform_id", "name"),),
    "opening-stock": (("sku", "barcode", "platform_id", "name"), ("quantity",)),
    "receipts": (("sku", "barcode", "platform_id", "name"), ("quantity",)),
    "counts": (("sku", "barcode", "platform_id", "name"), ("quantity",)),
    "sales-history": (("sku", "barcode", "platform_id", "name"), ("quantity",), ("time",)),
}
"""What a sheet must have to be a table of its kind: one of each group."""
