// Tables that sort, filter and download; what is folded is unfolded for printing.
import {jQuery as $} from "{{ tables_script }}";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark", dark.matches);
follow();
dark.addEventListener("change", follow);

// A table is set up when it comes near the screen: hundreds of rows at once would delay the first answer.
const setUp = (table) => $(table).DataTable({
  paging: false, info: false, order: [], autoWidth: false,
  layout: {
    topStart: "search",
    topEnd: {buttons: [
      {extend: "colvis", text: "Columns"},
      {extend: "csv", text: "CSV", title: null, filename: table.dataset.name},
      {extend: "excel", text: "Excel", title: null, filename: table.dataset.name},
    ]},
    bottomStart: null, bottomEnd: null,
  },
  language: {search: "", searchPlaceholder: "Filter rows"},
});
const near = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((one) => one.isIntersecting)) { near.unobserve(entry.target); setUp(entry.target); }
}, {rootMargin: "800px"});
document.querySelectorAll("table.data").forEach((table) => near.observe(table));

let folded = [];
const unfold = () => { folded = [...document.querySelectorAll("details:not([open])")]; folded.forEach((one) => { one.open = true; }); };
window.addEventListener("beforeprint", unfold);
window.addEventListener("afterprint", () => folded.forEach((one) => { one.open = false; }));
const menu = document.querySelector("nav details");
const narrow = window.matchMedia("(max-width: 900px)");
const arrange = () => { menu.open = !narrow.matches; };
arrange();
narrow.addEventListener("change", arrange);
document.documentElement.dataset.ready = "yes";
