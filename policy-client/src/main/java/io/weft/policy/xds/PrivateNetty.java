package io.weft.policy.xds;

import io.netty.util.internal.logging.AbstractInternalLogger;
import io.netty.util.internal.logging.InternalLogger;
import io.netty.util.internal.logging.InternalLoggerFactory;

/**
 * Settings for a Netty that nobody else uses. One that has been relocated into another package is such a one: its settings, whose
 * names are relocated with it, and its logger cannot be anybody else's. A Netty shared with an application is left as it is.
 */
final class PrivateNetty {
    private PrivateNetty() {}

    /** Before the first use of Netty. */
    static void prepare() {
        // Joined at run time, or relocation would change this name, too.
        if (InternalLoggerFactory.class.getName().startsWith(String.join(".", "io", "netty", ""))) {
            return;
        }
        // Netty would set up java.util.logging, which is the application's to set up. All that matters to us reaches us as an
        // exception.
        InternalLoggerFactory.setDefaultFactory(new SilentFactory());
        // Unsafe makes JDK 24 and later print warnings, JFR costs a cold JVM about 100 ms, and so do the pools that we do not use.
        System.setProperty("io.netty.noUnsafe", "true");
        System.setProperty("io.netty.jfr.enabled", "false");
        System.setProperty("io.netty.allocator.type", "unpooled");
        // Parts of channel ids, which nobody sees; found out by enumerating the network interfaces.
        System.setProperty("io.netty.machineId", "00:00:00:00:00:01");
        System.setProperty("io.netty.processId", "1");
    }

    private static final class SilentFactory extends InternalLoggerFactory {
        @Override
        protected InternalLogger newInstance(String name) {
            return new SilentLogger(name);
        }
    }

    private static final class SilentLogger extends AbstractInternalLogger {
        private static final long serialVersionUID = 1L;

        SilentLogger(String name) {
            super(name);
        }

        @Override public boolean isTraceEnabled() { return false; }
        @Override public void trace(String message) {}
        @Override public void trace(String format, Object argument) {}
        @Override public void trace(String format, Object first, Object second) {}
        @Override public void trace(String format, Object... arguments) {}
        @Override public void trace(String message, Throwable cause) {}

        @Override public boolean isDebugEnabled() { return false; }
        @Override public void debug(String message) {}
        @Override public void debug(String format, Object argument) {}
        @Override public void debug(String format, Object first, Object second) {}
        @Override public void debug(String format, Object... arguments) {}
        @Override public void debug(String message, Throwable cause) {}

        @Override public boolean isInfoEnabled() { return false; }
        @Override public void info(String message) {}
        @Override public void info(String format, Object argument) {}
        @Override public void info(String format, Object first, Object second) {}
        @Override public void info(String format, Object... arguments) {}
        @Override public void info(String message, Throwable cause) {}

        @Override public boolean isWarnEnabled() { return false; }
        @Override public void warn(String message) {}
        @Override public void warn(String format, Object argument) {}
        @Override public void warn(String format, Object first, Object second) {}
        @Override public void warn(String format, Object... arguments) {}
        @Override public void warn(String message, Throwable cause) {}

        @Override public boolean isErrorEnabled() { return false; }
        @Override public void error(String message) {}
        @Override public void error(String format, Object argument) {}
        @Override public void error(String format, Object first, Object second) {}
        @Override public void error(String format, Object... arguments) {}
        @Override public void error(String message, Throwable cause) {}
    }
}
