/* What all compiled programs share: the door through which Python calls them.

   A program is int program(void **in, void **out): pointers to the entries of its arguments in C order, pointers to
   memory for its results; its value is 0, or an exception has been set. Here arguments are checked and results are
   allocated. No header is included: the few things of CPython and NumPy that are used have not changed for years, and
   whether they are as declared here is tested before this is first used. */

typedef struct object object;
typedef long size;

struct object { size count; object *type; };
struct descr { object head; object *scalar; char kind, type, byteorder, flags; int type_num; };
struct ndarray { object head; void *data; int nd; size *shape, *strides; object *base; struct descr *descr; int flags; };

enum { C_CONTIGUOUS = 1, ALIGNED = 0x100, WRITEABLE = 0x400, VOID = 20 };
enum weak { STRONG, BOOL, INT, FLOAT, COMPLEX };  /* of a scalar: what it is in NumPy, or which type of Python's */

/* what is wanted of an argument, and what a result is; the size of the first axis is -1 if only the program knows it */
struct aval { struct descr *descr; object *scalar; size *shape; size bytes; int nd, type_num, twin, weak; };
struct program { int (*run)(void **, void **); struct aval *in, *out; size n_in, n_out; object *callbacks; };

struct xform_array { void *data; int type_num, nd; const size *shape; };
struct xform_stack { void *data; size length; };
union slot { struct xform_stack stack; double number; long integer; char bytes[32]; } __attribute__((aligned(16)));

/* given by the loader, before anything else is called; the order is that of its table */
struct numpy {
    object *ndarray;
    object *(*new_array)(object *, struct descr *, int, const size *, const size *, void *, int, object *);
    object *(*scalar)(void *, struct descr *, object *);
    int (*set_base)(object *, object *);
    struct descr *(*descr)(int);
    object *linalg_error;
};
static struct numpy numpy;

typedef object *(*method)(object *, object *);
struct method { const char *name; method call; int flags; const char *doc; };
enum { METH_O = 8 };

extern object PyFloat_Type, PyLong_Type, PyComplex_Type, PyBool_Type, _Py_TrueStruct, _Py_NotImplementedStruct;
extern object *PyExc_IndexError, *PyExc_MemoryError, *PyExc_ValueError, *PyExc_RuntimeError, *PyExc_SystemError;
extern object *PyExc_ZeroDivisionError, *PyExc_OverflowError, *PyExc_FloatingPointError, *PyExc_TypeError;
extern void Py_IncRef(object *), Py_DecRef(object *);
extern size PyTuple_Size(object *);
extern object *PyTuple_New(size), *PyTuple_GetItem(object *, size), *PyObject_CallObject(object *, object *);
extern int PyTuple_SetItem(object *, size, object *);
extern object *PyCapsule_New(void *, const char *, void (*)(object *));
extern void *PyCapsule_GetPointer(object *, const char *);
extern object *PyCFunction_NewEx(struct method *, object *, object *);
extern double PyFloat_AsDouble(object *), PyComplex_RealAsDouble(object *), PyComplex_ImagAsDouble(object *);
extern long PyLong_AsLongAndOverflow(object *, int *);
extern object *PyErr_Occurred(void), *PyErr_Format(object *, const char *, ...);
extern object *PyErr_FormatV(object *, const char *, __builtin_va_list), *PyErr_NoMemory(void);
extern int PyErr_CheckSignals(void), PyGILState_Check(void);
extern void *PyEval_SaveThread(void), PyEval_RestoreThread(void *);
extern void *malloc(unsigned long), free(void *), *memcpy(void *, const void *, unsigned long);

#define EXPORT __attribute__((visibility("default")))

EXPORT void xform_give(const struct numpy *given) { numpy = *given; }

/* --- arguments --- */

static int same_shape(const struct aval *want, int nd, const size *shape)
{
    if (nd != want->nd) return 0;
    for (int k = 0; k < nd; k++)
        if (shape[k] != want->shape[k] && !(k == 0 && want->shape[k] < 0)) return 0;
    return 1;
}

static int same_dtype(const struct aval *want, const struct descr *d)
{
    if (d == want->descr) return 1;
    if (d->type_num == VOID || d->byteorder == '>' || d->byteorder == '<') return 0;  /* native is '=' or '|' */
    return d->type_num == want->type_num || d->type_num == want->twin;
}

/* Entries of an array, or null if it is not just what is wanted. */
static void *array_argument(const struct aval *want, const struct ndarray *a, union slot *slot)
{
    if (want->weak || !same_dtype(want, a->descr) || !same_shape(want, a->nd, a->shape)) return 0;
    if ((a->flags & (C_CONTIGUOUS | ALIGNED)) != (C_CONTIGUOUS | ALIGNED)) return 0;
    if (a->nd == 0 || want->shape[0] >= 0) return a->data;
    slot->stack = (struct xform_stack){a->data, a->shape[0]};
    return slot;
}

/* A scalar of NumPy's has its value after its head. A scalar of Python's is converted. */
static void *scalar_argument(const struct aval *want, object *x, union slot *slot)
{
    int overflow = 0;
    if (want->nd || x->type != want->scalar) return 0;
    switch (want->weak) {
    case STRONG: return x + 1;
    case BOOL: slot->bytes[0] = x == &_Py_TrueStruct; return slot;
    case INT: slot->integer = PyLong_AsLongAndOverflow(x, &overflow); return overflow ? 0 : slot;
    case FLOAT: slot->number = PyFloat_AsDouble(x); return slot;
    default:
        ((double *)slot)[0] = PyComplex_RealAsDouble(x);
        ((double *)slot)[1] = PyComplex_ImagAsDouble(x);
        return slot;
    }
}

static void *argument(const struct aval *want, object *x, union slot *slot)
{
    if (x->type == numpy.ndarray) return array_argument(want, (struct ndarray *)x, slot);
    return scalar_argument(want, x, slot);
}

/* --- results --- */

static object *new_array(const struct aval *a, void *data, const size *shape)
{
    Py_IncRef((object *)a->descr);
    return numpy.new_array(numpy.ndarray, a->descr, a->nd, shape, 0, data, data ? C_CONTIGUOUS | ALIGNED | WRITEABLE : 0, 0);
}

static void release(object *capsule) { free(PyCapsule_GetPointer(capsule, 0)); }

/* An array of what the program has allocated itself, and which is not copied. */
static object *adopted(const struct aval *a, struct xform_stack *stack)
{
    size shape[a->nd];
    memcpy(shape, a->shape, sizeof shape);
    shape[0] = stack->length;
    if (!stack->length || !stack->data) return new_array(a, 0, shape);
    object *array = new_array(a, stack->data, shape), *owner = array ? PyCapsule_New(stack->data, 0, release) : 0;
    if (owner) stack->data = 0;
    if (!owner || numpy.set_base(array, owner)) {
        if (array) Py_DecRef(array);
        return 0;
    }
    return array;
}

static int in_slot(const struct aval *a) { return a->nd == 0 && a->type_num != VOID; }
static int is_stack(const struct aval *a) { return a->nd && a->shape[0] < 0; }

/* A new tuple with the results: arrays that the program has filled are in it already, the others are made. */
static int finish(const struct program *p, object *results, union slot *slots)
{
    for (size k = 0; k < p->n_out; k++) {
        const struct aval *a = p->out + k;
        object *value;
        if (is_stack(a)) value = adopted(a, &slots[k].stack);
        else if (in_slot(a)) value = numpy.scalar(slots + k, a->descr, 0);
        else continue;
        if (!value) return -1;
        PyTuple_SetItem(results, k, value);
    }
    return 0;
}

static void drop_stacks(const struct program *p, union slot *slots)
{
    for (size k = 0; k < p->n_out; k++)
        if (is_stack(p->out + k)) free(slots[k].stack.data);
}

static object *results_of(const struct program *p, void **in, void **out, union slot *slots)
{
    object *results = PyTuple_New(p->n_out);
    if (!results) return 0;
    for (size k = 0; k < p->n_out; k++) {
        const struct aval *a = p->out + k;
        slots[k].stack = (struct xform_stack){0, 0};
        out[k] = slots + k;
        if (is_stack(a) || in_slot(a)) continue;
        struct ndarray *array = (struct ndarray *)new_array(a, 0, a->shape);
        if (!array) { Py_DecRef(results); return 0; }
        PyTuple_SetItem(results, k, (object *)array);
        out[k] = array->data;
    }
    int status = p->run(in, out);
    if (!status && !finish(p, results, slots)) return results;
    if (!PyErr_Occurred()) PyErr_Format(PyExc_SystemError, "a compiled program failed with status %d and no reason", status);
    drop_stacks(p, slots);
    Py_DecRef(results);
    return 0;
}

static object *called(const struct program *p, object *args, void **pointers, union slot *slots)
{
    if (PyTuple_Size(args) != p->n_in) {
        if (PyErr_Occurred()) return 0;
        goto other;
    }
    for (size k = 0; k < p->n_in; k++) {
        pointers[k] = argument(p->in + k, PyTuple_GetItem(args, k), slots + k);
        if (!pointers[k]) goto other;
    }
    return results_of(p, pointers, pointers + p->n_in, slots + p->n_in);
other:
    Py_IncRef(&_Py_NotImplementedStruct);
    return &_Py_NotImplementedStruct;
}

/* The method behind an entry: the tuple of results, or NotImplemented if an argument is not just what is wanted. */
static object *enter(object *self, object *args)
{
    const struct program *p = PyCapsule_GetPointer(self, 0);
    size n = p->n_in + p->n_out;
    if (n <= 64) {
        void *pointers[n + 1];
        union slot slots[n + 1];
        return called(p, args, pointers, slots);
    }
    char *block = malloc(n * (sizeof(union slot) + sizeof(void *)));
    if (!block) return PyErr_NoMemory();
    object *value = called(p, args, (void **)(block + n * sizeof(union slot)), (union slot *)block);
    free(block);
    return value;
}

static struct method entry_method = {"entry", enter, METH_O, 0};

/* A function of Python's that runs a program; `owner` lives as long as it does. */
EXPORT object *xform_entry(struct program *p, object *owner)
{
    object *self = PyCapsule_New(p, 0, 0);
    if (!self) return 0;
    object *entry = PyCFunction_NewEx(&entry_method, self, owner);
    Py_DecRef(self);
    return entry;
}

/* --- what programs call --- */

/* Has the user interrupted? Then -1, and the exception is set. Other threads of Python get their turn. */
static int interrupted(void)
{
    if (!PyGILState_Check()) return 0;  /* a helper thread of the program: the one that holds the lock will ask */
    PyEval_RestoreThread(PyEval_SaveThread());
    return PyErr_CheckSignals();
}

static object *error_type(int kind)
{
    switch (kind) {
    case 1: return PyExc_IndexError;
    case 2: return PyExc_MemoryError;
    case 3: return PyExc_ValueError;
    case 4: return numpy.linalg_error;
    case 5: return PyExc_ZeroDivisionError;
    case 6: return PyExc_OverflowError;
    case 7: return PyExc_FloatingPointError;
    default: return PyExc_RuntimeError;
    }
}

/* Set an exception; always -1, so that a program can return it. */
static int error(int kind, const char *format, ...)
{
    __builtin_va_list values;
    __builtin_va_start(values, format);
    PyErr_FormatV(error_type(kind), format, values);
    __builtin_va_end(values);
    return -1;
}

static size bytes_of(const struct xform_array *a, size itemsize)
{
    for (int k = 0; k < a->nd; k++) itemsize *= a->shape[k];
    return itemsize;
}

/* A copy of a buffer of the program: an array, or one of NumPy's scalars. */
static object *copied(const struct xform_array *a, size itemsize)
{
    struct descr *d = numpy.descr(a->type_num);
    if (!d) return 0;
    if (!a->nd) {
        object *scalar = numpy.scalar(a->data, d, 0);
        Py_DecRef((object *)d);
        return scalar;
    }
    struct ndarray *array = (struct ndarray *)numpy.new_array(numpy.ndarray, d, a->nd, a->shape, 0, 0, 0, 0);
    if (array) memcpy(array->data, a->data, bytes_of(a, itemsize));
    return (object *)array;
}

/* Copy what a callback returned into a buffer of the program: a contiguous array of just its shape and dtype. */
static int taken(const struct xform_array *a, size itemsize, object *x, size k, size which)
{
    const struct ndarray *given = (struct ndarray *)x;
    int fits = x->type == numpy.ndarray && given->descr->type_num == a->type_num && given->nd == a->nd
        && (given->flags & C_CONTIGUOUS);
    for (int j = 0; fits && j < a->nd; j++) fits = given->shape[j] == a->shape[j];
    if (!fits) {
        PyErr_Format(PyExc_TypeError, "result %zd of callback %zd is not of the shape and dtype that the program was "
                     "compiled for", which, k);
        return -1;
    }
    memcpy(a->data, given->data, bytes_of(a, itemsize));
    return 0;
}

static object *copies(size n, const struct xform_array *arrays, const size *itemsizes)
{
    object *tuple = PyTuple_New(n);
    for (size k = 0; tuple && k < n; k++) {
        object *x = copied(arrays + k, itemsizes[k]);
        if (!x) { Py_DecRef(tuple); return 0; }
        PyTuple_SetItem(tuple, k, x);
    }
    return tuple;
}

static size itemsize_of(int type_num)
{
    static const char sizes[] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 8, 8, 4, 8, 16, 8, 16, 32};  /* bool ... clongdouble */
    return type_num == 23 ? 2 : type_num >= 0 && type_num < (int)sizeof sizes ? sizes[type_num] : 0;
}

/* Call function k of Python with copies of buffers, and copy what it returns into others. */
static int callback(void *context, size k, size n_in, const struct xform_array *in, size n_out, const struct xform_array *out)
{
    const struct program *p = context;
    size sizes[n_in + n_out + 1];
    for (size j = 0; j < n_in; j++) sizes[j] = itemsize_of(in[j].type_num);
    for (size j = 0; j < n_out; j++) sizes[n_in + j] = itemsize_of(out[j].type_num);
    object *args = copies(n_in, in, sizes), *results = 0;
    int status = -1;
    if (args) results = PyObject_CallObject(PyTuple_GetItem(p->callbacks, k), args);
    if (results && PyTuple_Size(results) == n_out) {
        status = 0;
        for (size j = 0; !status && j < n_out; j++)
            status = taken(out + j, sizes[n_in + j], PyTuple_GetItem(results, j), k, j);
    } else if (results) {
        PyErr_Format(PyExc_TypeError, "callback %zd gave %zd results; the program was compiled for %zd", k,
                     PyTuple_Size(results), n_out);
    }
    if (results) Py_DecRef(results);
    if (args) Py_DecRef(args);
    return status;
}

struct xform_runtime {
    int (*interrupted)(void);
    int (*error)(int, const char *, ...);
    int (*callback)(void *, size, size, const struct xform_array *, size, const struct xform_array *);
};
EXPORT const struct xform_runtime xform_runtime = {interrupted, error, callback};
