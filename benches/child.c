/* Runs a program and prints its user and system time in microseconds and its peak memory in KiB to descriptor 3.
 *
 * A child begins with the memory of the process that it was forked from, which counts to its peak; so it is forked from this one, which
 * is small, and not from a script's interpreter. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long microseconds(struct timeval time) { return time.tv_sec * 1000000L + time.tv_usec; }

int main(int argc, char **argv) {
    int status;
    struct rusage usage;
    pid_t child = argc < 2 ? -1 : fork();
    if (child == 0) {
        close(3);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child) return 126;
    dprintf(3, "%ld %ld %ld\n", microseconds(usage.ru_utime), microseconds(usage.ru_stime), usage.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
