#include "torture/cli/commands.hpp"

int main(int argc, char** argv) { return torture::main_command(nullptr, argc, argv); }
