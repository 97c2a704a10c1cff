#include <srcutorture/ops.h>

int main(int argc, char **argv) { return srcutorture_main(&srcutorture_ops, argc, argv); }
