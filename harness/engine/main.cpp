#include "harness/engine/program.hpp"

int main(int argc, char** argv) { return engine::program(argc, argv); }
