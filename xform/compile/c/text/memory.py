"""The memory of a call, in C: the arena, and arrays whose length is found while the program runs.

The arena is kept from call to call, so that its pages need not be asked for again; a call that finds it in use (another
is under way, in a callback) takes one of its own. Arrays that grow are blocks of a list, of which the last ones are
released when the loop step that asked for them is done, and all at the end of the call, also of one that fails.
"""

from __future__ import annotations

#: arenas of more bytes are given back after each call
LARGEST_KEPT = 1 << 28

MEMORY = f"""
struct xf_block {{ struct xf_block *below, *above; }} __attribute__((aligned(64)));
struct xf_call {{ char *arena; int own; struct xf_block *top; }};
static char *xf_arena;
static int xf_arena_used;

#ifdef _OPENMP
extern int getpid(void);
static int xf_process;

/* A process that was forked has none of the threads of its parent, and must not wait for them. */
static int xf_threads(void)
{{
  if (!xf_process) xf_process = getpid();
  return xf_process == getpid();
}}
#endif

static int xf_no_memory(void) {{ return xform_error(2, "out of memory in a compiled program"); }}

static int xf_begin(struct xf_call *call, unsigned long size)
{{
  call->top = 0;
  call->own = xf_arena_used || size > {LARGEST_KEPT};
  call->arena = call->own || !xf_arena ? __builtin_aligned_alloc(64, size + 64) : xf_arena;
  if (!call->arena) return xf_no_memory();
  if (!call->own) {{ xf_arena = call->arena; xf_arena_used = 1; }}
  return 0;
}}

static void xf_release(struct xf_call *call, struct xf_block *mark)
{{
  while (call->top != mark) {{
    struct xf_block *below = call->top->below;
    __builtin_free(call->top);
    call->top = below;
  }}
  if (mark) mark->above = 0;
}}

static void xf_end(struct xf_call *call)
{{
  xf_release(call, 0);
  if (call->own) __builtin_free(call->arena);
  else xf_arena_used = 0;
}}

static void *xf_allocate(struct xf_call *call, long size)
{{
  struct xf_block *block = __builtin_aligned_alloc(64, sizeof *block + (size + 63) / 64 * 64);
  if (!block) {{ xf_no_memory(); return 0; }}
  *block = (struct xf_block){{call->top, 0}};
  if (call->top) call->top->above = block;
  call->top = block;
  return block + 1;
}}

static void *xf_reallocate(struct xf_call *call, void *data, long size)
{{
  if (!data) return xf_allocate(call, size);
  struct xf_block *block = __builtin_realloc((struct xf_block *)data - 1, sizeof *block + size);
  if (!block) {{ xf_no_memory(); return 0; }}
  if (block->below) block->below->above = block;
  if (block->above) block->above->below = block;
  else call->top = block;
  return block + 1;
}}
"""

INDEX_ERROR = """
static int xf_index_error(long index, long axis, long size)
{
  return xform_error(1, "index %ld is out of bounds for axis %ld with size %ld; wanted %ld <= index < %ld",
                     index, axis, size, -size, size);
}
"""

#: what a program may name, beside its memory
ROUTINES = {
    "xf_index_error": INDEX_ERROR,
}
