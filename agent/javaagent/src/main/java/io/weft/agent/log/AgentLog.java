package io.weft.agent.log;

import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The agent's own log: the process's stderr, or a file. Uses neither the app's logging nor {@link System#err}, which apps
 * redirect into their logging. Thread-safe; a line is written at once and whole.
 */
public final class AgentLog {

    public enum Level { OFF, ERROR, WARN, INFO, DEBUG }

    /** What is said once may have an address in it, or whatever else there is ever anew of: then it is said once more. */
    private static final int MOST_SAID = 1_000;

    private volatile Level level;
    private final OutputStream out;
    private final Map<String, Boolean> said = new ConcurrentHashMap<>();

    private AgentLog(Level level, OutputStream out) {
        this.level = level;
        this.out = out;
    }

    public static AgentLog toStderr(Level level) {
        return new AgentLog(level, new FileOutputStream(FileDescriptor.err));
    }

    /** @throws IOException when the file cannot be appended to */
    public static AgentLog toFile(Level level, File file) throws IOException {
        return new AgentLog(level, new FileOutputStream(file, true));
    }

    /** For tests. */
    public static AgentLog to(Level level, OutputStream out) {
        return new AgentLog(level, out);
    }

    public Level level() {
        return level;
    }

    /** From now on. */
    public void level(Level from) {
        level = from;
    }

    public boolean isDebug() {
        return level == Level.DEBUG;
    }

    public void error(String message) {
        write(Level.ERROR, message);
    }

    public void warn(String message) {
        write(Level.WARN, message);
    }

    /** Nothing is said twice under one key; for what may happen with each request. */
    public void warnOnce(String key, String message) {
        if (isNew(key)) {
            warn(message);
        }
    }

    private boolean isNew(String key) {
        if (said.putIfAbsent(key, true) != null) {
            return false;
        }
        if (said.size() > MOST_SAID) {
            said.clear();
            said.put(key, true);
        }
        return true;
    }

    public void info(String message) {
        write(Level.INFO, message);
    }

    public void debug(String message) {
        write(Level.DEBUG, message);
    }

    /** A fault of the agent that the app does not notice: said once under the key, with the stack. */
    public void faultOnce(String key, String message, Throwable fault) {
        if (isNew(key)) {
            StringWriter stack = new StringWriter();
            fault.printStackTrace(new PrintWriter(stack));
            warn(message + ": " + stack.toString().stripTrailing());
        }
    }

    private void write(Level at, String message) {
        if (at.compareTo(level) > 0) {
            return;
        }
        String line = Instant.now().truncatedTo(ChronoUnit.MILLIS) + " weft " + at + " " + message + System.lineSeparator();
        try {
            out.write(line.getBytes(StandardCharsets.UTF_8));
        } catch (IOException gone) {
            // The only place to say it is the stream that failed.
            return;
        }
    }
}
