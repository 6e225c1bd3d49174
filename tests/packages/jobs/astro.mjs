import { transform } from '@astrojs/compiler';

const source = `---
const names = ['one', 'two', 'three'];
const { title } = Astro.props;
---
<html><head><title>{title}</title><style>h1 { color: red } li > a { margin: 1px }</style></head>
<body><h1>{title}</h1><ul>{names.map((name) => <li><a href={name}>{name}</a></li>)}</ul></body></html>`;
const result = await transform(source, { filename: '/page.astro', sourcemap: false });
console.log(result.code.length, result.css.join(''), result.diagnostics.length);
process.exit(0);
