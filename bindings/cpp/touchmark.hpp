// Touchmark for C++17: the C interface of touchmark.h with handles that free themselves, and errors as exceptions. Headers only.
//
// A class owns one handle and can be moved, not copied. A function `f` throws touchmark::error; where there is a `try_f`, it throws nothing of its
// own and gives a touchmark::outcome. A view (bytes_view, std::string_view) that a method returns lives as long as the object that returned it
// (an object without a name, as in `source.verify(policy, at).digest()`, gives a copy); one of a step, until the next call on what is stepped. What is built is immutable and may be used from many threads; builders and what is
// stepped may be used from one at a time (touchmark.h).
//
// Exceptions of a callback do not cross the C library: they are kept, and thrown on from the call. A std::runtime_error of a function that fetches
// says that something could not be had: if the library can go on without, it does.
#ifndef TOUCHMARK_HPP
#define TOUCHMARK_HPP

#include "touchmark/base.hpp"
#include "touchmark/decision.hpp"
#include "touchmark/envelope.hpp"
#include "touchmark/io.hpp"
#include "touchmark/metadata.hpp"

#endif
