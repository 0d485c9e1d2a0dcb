"""NumPy's functions for arrays and traced values, under NumPy's names."""

from xform.numpy import protocol as protocol
from xform.numpy.extremes import amax as amax
from xform.numpy.extremes import amin as amin
from xform.numpy.extremes import argmax as argmax
from xform.numpy.extremes import argmin as argmin
from xform.numpy.extremes import max as max
from xform.numpy.extremes import min as min
from xform.numpy.extremes import ptp as ptp
from xform.numpy.reductions import all as all
from xform.numpy.reductions import any as any
from xform.numpy.reductions import count_nonzero as count_nonzero
from xform.numpy.reductions import mean as mean
from xform.numpy.reductions import prod as prod
from xform.numpy.reductions import sum as sum
