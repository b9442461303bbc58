// cp FROM TO: copies one file, readable for everybody, and puts it in place in one step. All that the init container runs.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *what) {
  fprintf(stderr, "cp: %s: %s\n", what, strerror(errno));
  return 1;
}

int main(int count, char **arguments) {
  static char buffer[1 << 16];
  char draft[4096];
  if (count != 3 || snprintf(draft, sizeof draft, "%s.draft", arguments[2]) >= (int) sizeof draft) {
    fprintf(stderr, "usage: cp FROM TO\n");
    return 2;
  }
  int from = open(arguments[1], O_RDONLY | O_CLOEXEC);
  if (from < 0) return failed(arguments[1]);
  int to = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (to < 0) return failed(draft);
  ssize_t length;
  while ((length = read(from, buffer, sizeof buffer)) != 0) {
    if (length < 0) {
      if (errno == EINTR) continue;
      return failed(arguments[1]);
    }
    for (ssize_t done = 0; done < length;) {
      ssize_t written = write(to, buffer + done, (size_t) (length - done));
      if (written >= 0) done += written;
      else if (errno != EINTR) return failed(draft);
    }
  }
  // Whatever the umask, the JVM may run as another user.
  if (fchmod(to, 0644) != 0 || close(to) != 0) return failed(draft);
  return rename(draft, arguments[2]) == 0 ? 0 : failed(arguments[2]);
}
