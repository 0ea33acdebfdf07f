/* SPDX-License-Identifier: MIT */
/* main() of every test program, in a file of its own: libFuzzer brings another. */
#include "harness.h"

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
