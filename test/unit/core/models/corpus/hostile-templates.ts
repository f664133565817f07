import { gguf, ggufText } from '../generators/tensors.ts';
import type { HostileSample } from './sample.ts';

const template = (text: string): Buffer =>
  gguf([{ key: 'tokenizer.chat_template', type: 8, bytes: ggufText(text) }], []);

/** Chat templates and configurations that reach for Python. */
export const HOSTILE_TEMPLATES: readonly HostileSample[] = [
  ['a template with a class walk', template("{{ ''.__class__ }}"), { rule: 'chat-template' }],
  ['a template with attr', template("{{ x|attr('a') }}"), { rule: 'chat-template' }],
  [
    'a template with map(attribute) of a computed name',
    template("{{ [x]|map(attribute='a' ~ b)|list }}"),
    { rule: 'chat-template' },
  ],
  ['a template with escaped underscores', template("{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}"), { rule: 'chat-template' }],
  ['a template with cycler', template('{{ cycler.next }}'), { rule: 'chat-template' }],
  ['a template with a joined name', template("{{ x['__cla' ~ 'ss__'] }}"), { rule: 'chat-template' }],
  ['a template that includes a file', template("{% include '/etc/passwd' %}"), { rule: 'chat-template' }],
  [
    'a template in a tokenizer',
    Buffer.from(JSON.stringify({ chat_template: '{{ self.__init__ }}' })),
    { rule: 'chat-template' },
  ],
  [
    'a named template in a tokenizer',
    Buffer.from(JSON.stringify({ chat_template: [{ name: 'a', template: '{{ lipsum }}' }] })),
    { rule: 'chat-template' },
  ],
  [
    'a configuration that brings Python',
    Buffer.from(JSON.stringify({ auto_map: { AutoModel: 'modeling.Evil' } })),
    { rule: 'remote-code' },
  ],
  ['a template with a format string', template("{{ '{0.__class__}'.format(x) }}"), { rule: 'chat-template' }],
  ['a template with the globals of a macro', template('{{ joiner.__init__.__globals__ }}'), { rule: 'chat-template' }],
  ['a template with unicode underscores', template("{{ x['\\\\u005f\\\\u005fclass'] }}"), { rule: 'chat-template' }],
  ['a template with octal underscores', template("{{ x['\\\\137\\\\137class'] }}"), { rule: 'chat-template' }],
  ['a template that imports another', template("{% from 'x' import y %}"), { rule: 'chat-template' }],
  [
    'a second template beside a harmless one',
    gguf(
      [
        { key: 'tokenizer.chat_template', type: 8, bytes: ggufText('{{ a }}') },
        { key: 'tokenizer.chat_template.tool_use', type: 8, bytes: ggufText('{{ x.__class__ }}') },
      ],
      [],
    ),
    { rule: 'chat-template' },
  ],
  [
    'a pipeline that brings Python',
    Buffer.from(JSON.stringify({ custom_pipelines: { x: { impl: 'evil.P' } } })),
    { rule: 'remote-code' },
  ],
];
