package io.weft.policy.protobuf;

/** Says nothing: protobuf logs only that {@link FieldUnsafe} lacks what it lacks on purpose. */
public final class Logger {
    private static final Logger SILENT = new Logger();

    private Logger() {}

    public static Logger getLogger(String name) {
        return SILENT;
    }

    public void log(Level level, String message) {}

    public void warning(String message) {}
}
