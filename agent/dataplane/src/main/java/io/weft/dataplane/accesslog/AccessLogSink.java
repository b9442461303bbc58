package io.weft.dataplane.accesslog;

/** Where lines of access logs go. Thread-safe, never blocks and never throws: a line that cannot be kept is lost and counted. */
@FunctionalInterface
public interface AccessLogSink {
    /**
     * @param path of the file; {@code /dev/stdout} and {@code /dev/stderr} are the process's own streams
     * @param line with its line break
     */
    void write(String path, String line);

    /** To somebody who may come later; nobody before. */
    final class Relay implements AccessLogSink {
        private volatile AccessLogSink sink;

        public void to(AccessLogSink sink) {
            this.sink = sink;
        }

        @Override
        public void write(String path, String line) {
            AccessLogSink writing = sink;
            if (writing != null) {
                writing.write(path, line);
            }
        }
    }
}
