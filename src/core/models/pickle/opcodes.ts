/**
 * Python's pickle opcodes, protocols 0 to 5.
 * Source: CPython's Lib/pickletools.py and Lib/pickle.py, PEP 307, PEP 3154, PEP 574.
 */

/** How an opcode's argument is read: nothing, a count of bytes, lines, or bytes behind a length of 1, 4 or 8 bytes. */
type Argument = 'none' | 1 | 2 | 4 | 8 | 'line' | 'two-lines' | 'length-1' | 'length-4' | 'length-8';

export interface Opcode {
  readonly name: string;
  readonly argument: Argument;
}

const definitions: readonly (readonly [code: number | string, name: string, argument: Argument])[] = [
  ['(', 'MARK', 'none'],
  ['.', 'STOP', 'none'],
  ['0', 'POP', 'none'],
  ['1', 'POP_MARK', 'none'],
  ['2', 'DUP', 'none'],
  ['F', 'FLOAT', 'line'],
  ['I', 'INT', 'line'],
  ['J', 'BININT', 4],
  ['K', 'BININT1', 1],
  ['L', 'LONG', 'line'],
  ['M', 'BININT2', 2],
  ['N', 'NONE', 'none'],
  ['P', 'PERSID', 'line'],
  ['Q', 'BINPERSID', 'none'],
  ['R', 'REDUCE', 'none'],
  ['S', 'STRING', 'line'],
  ['T', 'BINSTRING', 'length-4'],
  ['U', 'SHORT_BINSTRING', 'length-1'],
  ['V', 'UNICODE', 'line'],
  ['X', 'BINUNICODE', 'length-4'],
  ['a', 'APPEND', 'none'],
  ['b', 'BUILD', 'none'],
  ['c', 'GLOBAL', 'two-lines'],
  ['d', 'DICT', 'none'],
  ['}', 'EMPTY_DICT', 'none'],
  ['e', 'APPENDS', 'none'],
  ['g', 'GET', 'line'],
  ['h', 'BINGET', 1],
  ['i', 'INST', 'two-lines'],
  ['j', 'LONG_BINGET', 4],
  ['l', 'LIST', 'none'],
  [']', 'EMPTY_LIST', 'none'],
  ['o', 'OBJ', 'none'],
  ['p', 'PUT', 'line'],
  ['q', 'BINPUT', 1],
  ['r', 'LONG_BINPUT', 4],
  ['s', 'SETITEM', 'none'],
  ['t', 'TUPLE', 'none'],
  [')', 'EMPTY_TUPLE', 'none'],
  ['u', 'SETITEMS', 'none'],
  ['G', 'BINFLOAT', 8],
  [0x80, 'PROTO', 1],
  [0x81, 'NEWOBJ', 'none'],
  [0x82, 'EXT1', 1],
  [0x83, 'EXT2', 2],
  [0x84, 'EXT4', 4],
  [0x85, 'TUPLE1', 'none'],
  [0x86, 'TUPLE2', 'none'],
  [0x87, 'TUPLE3', 'none'],
  [0x88, 'NEWTRUE', 'none'],
  [0x89, 'NEWFALSE', 'none'],
  [0x8a, 'LONG1', 'length-1'],
  [0x8b, 'LONG4', 'length-4'],
  ['B', 'BINBYTES', 'length-4'],
  ['C', 'SHORT_BINBYTES', 'length-1'],
  [0x8c, 'SHORT_BINUNICODE', 'length-1'],
  [0x8d, 'BINUNICODE8', 'length-8'],
  [0x8e, 'BINBYTES8', 'length-8'],
  [0x8f, 'EMPTY_SET', 'none'],
  [0x90, 'ADDITEMS', 'none'],
  [0x91, 'FROZENSET', 'none'],
  [0x92, 'NEWOBJ_EX', 'none'],
  [0x93, 'STACK_GLOBAL', 'none'],
  [0x94, 'MEMOIZE', 'none'],
  [0x95, 'FRAME', 8],
  [0x96, 'BYTEARRAY8', 'length-8'],
  [0x97, 'NEXT_BUFFER', 'none'],
  [0x98, 'READONLY_BUFFER', 'none'],
];

/** Opcodes by their byte: 256 places, because a pickle of half a million instructions asks as often. */
export const OPCODES: readonly (Opcode | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  const found = definitions.find(([code]) => (typeof code === 'number' ? code : code.charCodeAt(0)) === byte);
  return found === undefined ? undefined : { name: found[1], argument: found[2] };
});
