// Compiled into programs outside that link srcutorture::main: where the installed scenarios are.
extern "C" const char* const srcutorture_share_dir = SRCUTORTURE_SHARE_DIR;
