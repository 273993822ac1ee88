/* The style sheet of report_html.c. Narrow: one column, drawings above. Wide: drawings stay beside. */
#ifndef HOST_DOCTOR_REPORT_HTML_STYLE_H
#define HOST_DOCTOR_REPORT_HTML_STYLE_H

/* Pieces: the standard promises 4095 bytes of one literal only. */
static const char *const report_html_style[] = {
    ":root{--bg:#f5f6f8;--fg:#1b2430;--dim:#5c6875;--card:#fff;--line:#dde2e8;--code:#f1f3f6;--boot:#7fb2e5;--s0:#86c98b;"
    "--s1:#f5b556;--other:#c3c9d1;--red:#c62828;--amber:#d98e04;--blue:#1f6fc4;--green:#2e7d32}"
    "@media(prefers-color-scheme:dark){:root{--bg:#14181d;--fg:#e4e8ee;--dim:#98a4b3;--card:#1d232b;--line:#313b46;--code:#262e38;"
    "--other:#5b6673;--red:#ef6a63;--amber:#e5a93c;--blue:#6aaef0;--green:#6cbf71}}"
    "*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;margin:0;background:var(--bg);color:var(--fg)}"
    "header,main{max-width:1360px;margin:0 auto;padding:20px 20px 0}main{padding-bottom:40px}"
    "h1{font-size:15px;font-weight:600;margin:0;color:var(--dim)}h2{font-size:16px;margin:20px 0 8px}"
    "h3{font-size:14px;margin:0 0 6px}h3 em{color:var(--red);font-style:normal;font-weight:400}"
    ".verdict{display:flex;gap:16px;align-items:baseline;padding:14px 18px;border-radius:10px;font-size:17px;margin:8px 0 0;"
    "background:var(--card);border:1px solid var(--line);border-left:8px solid;overflow-wrap:anywhere}"
    ".verdict strong{font-size:22px;flex:none}.verdict span{min-width:0}.verdict.no{border-left-color:var(--red)}.verdict.no strong{color:var(--red)}"
    ".verdict.yes{border-left-color:var(--green)}.verdict.yes strong{color:var(--green)}"
    ".verdict.unknown{border-left-color:var(--amber)}.verdict.unknown strong{color:var(--amber)}",
    ".card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px;margin:0 0 12px}"
    ".card.error{border-left:5px solid var(--red)}.card.warning{border-left:5px solid var(--amber)}"
    ".card.info{border-left:5px solid var(--blue)}.card p{margin:6px 0}.card p,.card li{overflow-wrap:anywhere}.card>:last-child{margin-bottom:2px}.card>ul{margin:0;padding-left:18px}"
    ".error .id{color:var(--red)}.warning .id{color:var(--amber)}.info .id{color:var(--blue)}"
    ".head{display:flex;gap:4px 12px;align-items:baseline;flex-wrap:wrap}.id{font-weight:700}"
    ".at,code,pre{font-family:ui-monospace,monospace;font-size:13px}.at{overflow-wrap:anywhere}.at,.image,.small{color:var(--dim)}"
    ".image{font-size:12px;border:1px solid var(--line);border-radius:9px;padding:0 7px}.small{font-size:13px;margin:0 0 12px}"
    "pre{background:var(--code);padding:8px 10px;border-radius:6px;overflow-x:auto;margin:8px 0;tab-size:4}"
    ".no-line{color:var(--dim);border-right:1px solid var(--line);padding-right:8px;margin-right:2px}"
    ".patch .head{color:var(--dim);display:inline}.patch .add{color:var(--green)}.patch .del{color:var(--red)}"
    "dl{display:grid;grid-template-columns:44px 1fr;gap:2px 8px;margin:6px 0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}",
    ".state h2{margin:0 0 8px}.pair{display:grid;gap:16px}.chip{margin:0 0 10px}.name{font-size:13px;color:var(--dim)}"
    ".name strong{color:var(--fg)}.bar{position:relative;height:30px;min-width:24px;margin:3px 0 4px;border-radius:4px;"
    "background:var(--code);border:1px solid var(--dim);overflow:hidden}"
    ".bar i{position:absolute;top:0;bottom:0;min-width:2px;border-right:1px solid var(--card);font:12px/28px system-ui,sans-serif;"
    "color:#14181d;text-indent:6px;white-space:nowrap;overflow:hidden}"
    ".boot{background:var(--boot)}.s0{background:var(--s0)}.s1{background:var(--s1)}.other{background:var(--other)}"
    ".bar.unseen{border-style:dashed;border-color:var(--red);background:repeating-linear-gradient(135deg,transparent 0 6px,"
    "var(--code) 6px 12px)}.bar.unseen i{opacity:.35}"
    ".chip ul{list-style:none;margin:0;padding:0;font-size:13px}.chip li{display:grid;grid-template-columns:10px 1fr auto 74px;"
    "gap:8px;align-items:baseline}.chip li b{width:10px;height:10px;border-radius:2px}.chip li code{text-align:right;font-size:12px}"
    ".chip li span:first-child{grid-column:1/-1}.chip li.lost{color:var(--red)}"
    "@media(max-width:559px){header,main{padding:12px 12px 0}.verdict,.verdict strong{display:block}.verdict{font-size:16px}}"
    "@media(min-width:560px) and (max-width:1019px){.pair{grid-template-columns:1fr 1fr}}"
    "@media(min-width:1020px){main{display:grid;grid-template-columns:minmax(0,460px) minmax(0,1fr);gap:24px;align-items:start}"
    "aside{position:sticky;top:12px;padding-top:12px;max-height:calc(100vh - 12px);overflow:auto}}"
    "@media(min-width:1260px){main{grid-template-columns:minmax(0,600px) minmax(0,1fr)}.pair{grid-template-columns:1fr 1fr}}"
    "@media print{aside{position:static;max-height:none}}",
};

#endif
