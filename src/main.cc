#include "app/command_line.h"

int main(int argc, char** argv) { return cc::app::run(argc, argv); }
