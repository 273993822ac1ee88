"""The page of `slipway doctor --format html` as a browser lays it out, wide and on a phone."""
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from project import LOST, MENDED, Project, slipway  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

MAP = """mcuboot: {address: 0x0, size: 0xc000, region: flash_primary}
mcuboot_primary: {address: 0xc000, size: 0xf0000, region: flash_primary, span: [app, mcuboot_pad]}
mcuboot_pad: {address: 0xc000, size: 0x200, region: flash_primary}
app: {address: 0xc200, size: 0xefe00, region: flash_primary}
settings_storage: {address: 0xfc000, size: 0x4000, region: flash_primary}
mcuboot_secondary: {address: 0x0, size: 0xf0000, region: external_flash, device: ext}
external_flash: {address: 0xf0000, size: 0x710000, region: external_flash, device: ext}
"""

# Runs in a page around the reports, since nothing runs in the reports themselves.
MEASURE = """
const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom] };
onload = () => {
  const out = [...document.querySelectorAll('iframe')].map(f => {
    const d = f.contentDocument, all = q => [...d.querySelectorAll(q)];
    return {
      inner: f.contentWindow.innerWidth, scroll: d.documentElement.scrollWidth,
      aside: box(d.querySelector('aside')), findings: box(d.querySelector('.findings')),
      states: all('.state').map(s => ({
        title: s.querySelector('h2').textContent,
        views: [...s.querySelectorAll('.view')].map(v => ({
          image: v.querySelector('h3').textContent,
          chips: [...v.querySelectorAll('.chip')].map(c => ({
            name: c.querySelector('.name').textContent, bar: box(c.querySelector('.bar')),
            unseen: c.querySelector('.bar').classList.contains('unseen'),
            boxes: [...c.querySelectorAll('.bar i')].map(i => [i.title, i.className, ...box(i)]),
            legend: [...c.querySelectorAll('li')].map(l => l.innerText.replace(/\\s+/g, ' ').trim()) })) })) })),
      colors: all('.bar i').map(i => getComputedStyle(i).backgroundColor),
      smallest: Math.min(...all('.legend, li, p, dd, pre, .name').map(e => parseFloat(getComputedStyle(e).fontSize))),
    } });
  const p = document.createElement('pre'); p.id = 'measured'; p.textContent = JSON.stringify(out); document.body.append(p);
}
"""


def report(files):
    with Project(files) as p:
        run = slipway("doctor", p.dir, "--format", "html")
    return run.stdout


def measured(*pages):
    """For each (page, width): what the browser made of it."""
    frames = "".join(f'<iframe style="border:0;width:{w}px;height:900px" srcdoc="{html.escape(page)}"></iframe>'
                     for page, w in pages)
    with tempfile.TemporaryDirectory(prefix="slipway-html-") as d:
        path = os.path.join(d, "all.html")
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"<!doctype html><meta charset=utf-8><body>{frames}<script>{MEASURE}</script>")
        p = subprocess.run([CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                            f"--user-data-dir={d}/profile", "--window-size=2000,1000", "--dump-dom", f"file://{path}"],
                           capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="measured">(.*?)</pre>', p.stdout, re.S)
    if not found:
        raise AssertionError(f"nothing was measured: {p.stdout[-300:]}\n{p.stderr[-1000:]}")
    return json.loads(html.unescape(found.group(1)))


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lost = report(LOST)
        cls.good = report(dict(MENDED, **{"pm_static.yml": MAP}))
        cls.wide, cls.phone, cls.good_wide, cls.good_phone = measured(
            (cls.lost, 1366), (cls.lost, 390), (cls.good, 1366), (cls.good, 360))

    def test_self_contained(self):
        for page in (self.lost, self.good):
            self.assertNotRegex(page, r"(?i)https?:|<script|src=|@import|url\(|<link")

    def test_nothing_is_wider_than_the_screen(self):
        for m in (self.wide, self.phone, self.good_wide, self.good_phone):
            self.assertLessEqual(m["scroll"], m["inner"])
            self.assertGreaterEqual(m["smallest"], 12)

    def test_findings_beside_or_below(self):
        self.assertLess(self.wide["aside"][2], self.wide["findings"][0])
        self.assertLess(self.wide["aside"][1], self.wide["findings"][3])
        self.assertLess(abs(self.wide["aside"][1] - self.wide["findings"][1]), 40)
        self.assertLessEqual(self.phone["aside"][3], self.phone["findings"][1])

    def test_to_scale(self):
        """A megabyte is as wide inside as outside, in every picture and at every width."""
        sizes = {"nrf52840": 1024, "ext": 8192}
        for m in (self.wide, self.phone, self.good_wide, self.good_phone):
            for state in m["states"]:
                for view in state["views"]:
                    per_kib = []
                    for chip in view["chips"]:
                        name, kib = re.match(r"(\w+) .*, (\d+) KiB", chip["name"]).groups()
                        self.assertEqual(int(kib), sizes[name])
                        left, _, right, _ = chip["bar"]
                        per_kib.append((right - left) / int(kib))
                    self.assertEqual(len(per_kib), 2)
                    self.assertAlmostEqual(per_kib[0] / per_kib[1], 1, delta=0.03)

    def test_boxes_lie_where_they_should(self):
        state, = self.good_wide["states"]
        inside, outside = state["views"][0]["chips"]
        want = [("MCUboot", 0, 0xc000), ("slot 0", 0xc000, 0xfc000), ("settings_storage", 0xfc000, 0x100000)]
        left, _, right, _ = inside["bar"]
        for (name, start, end), got in zip(want, inside["boxes"], strict=True):
            self.assertEqual(got[0], name)
            for edge, want_edge in ((got[2], start), (got[4], end)):  # the bar's border is a pixel wide
                self.assertAlmostEqual(edge, left + (right - left) * want_edge / 0x100000, delta=1.5)
        self.assertEqual([b[0] for b in outside["boxes"]], ["slot 1", "external_flash"])
        self.assertIn("slot 1 0x0 960 KiB", outside["legend"])

    def test_lost_upload_as_built_and_as_meant(self):
        built, meant = self.wide["states"]
        self.assertEqual((built["title"], meant["title"]), ("As built", "As the project seems to mean it"))
        app, boot = built["views"]
        for view in (app, boot):
            self.assertEqual([b[0] for b in view["chips"][0]["boxes"]], ["MCUboot", "slot 0", "slot 1"])
            self.assertEqual(view["chips"][1]["boxes"], [])
        self.assertTrue(app["chips"][1]["unseen"])
        self.assertEqual(app["chips"][1]["legend"], ["this image does not know the chip"])
        self.assertFalse(boot["chips"][1]["unseen"])
        for view in meant["views"]:
            self.assertEqual([b[0] for b in view["chips"][0]["boxes"]], ["MCUboot", "slot 0"])
            self.assertEqual([b[0] for b in view["chips"][1]["boxes"]], ["slot 1"])

    def test_right_project_has_one_picture(self):
        self.assertEqual([s["title"] for s in self.good_wide["states"]], ["As built, and as the project means it"])
        self.assertIn('<div class="verdict yes"><strong>YES</strong>', self.good)

    def test_project_text_stays_text(self):
        evil = b'CONFIG_BOOT_SIGNATURE_KEY_FILE="<img src=x onerror=alert(1)>&\xff\x1b enc.pem"\n'
        with Project(LOST) as p:
            p.put("sysbuild/mcuboot.conf", LOST["sysbuild/mcuboot.conf"].encode() + evil)
            page = slipway("doctor", p.dir, "--format", "html").stdout
        self.assertIn("&lt;img src=x onerror=alert(1)&gt;&amp;?? enc.pem", page)
        self.assertNotIn("<img", page)


if __name__ == "__main__":
    unittest.main()
