"""The C backend: one C function for a whole program, its loops and branches inside.

`backend.build` writes the function, has it compiled, and loads it. On the way there

    loops       scans, while loops and branches: the programs inside are blocks of their own
    fusion      a block of eqns becomes as few loops as can be: `peel` says how an eqn is a loop over its first axis,
                `schedule` which eqns share one, `block` writes them, with what is small in registers
    kernels     the text of what is not entry by entry: indexing, sorting, linear algebra, convolutions, ...
    products    products of matrices and vectors: tiles in registers, or BLAS
    text        values (arrays of C names, views of memory), the emitter that writes lines, the memory of a program
    machine     the compiler, the cache on disk, loading, and the door that takes arrays without copying (runtime.c)

What has no text in C is called back: its NumPy rule runs in the midst of the C program.
"""
