package io.weft.policy.netty;

import io.netty.util.internal.logging.InternalLoggerFactory;

/**
 * For a program whose copy of Netty is its own, under a name of its own: JVM-wide what Netty takes from system properties, and
 * its logging. Not for a program that shares Netty with others.
 */
public final class PrivateNetty {
    private PrivateNetty() {}

    /**
     * Before any other class of Netty is used: no {@code sun.misc.Unsafe} (newer JDKs print a warning for it), no Flight
     * Recorder events (their classes take a cold JVM 100 ms), and no logging, which would start the app's java.util.logging.
     * What goes wrong is in {@link io.weft.policy.PolicyClientStatus}.
     */
    public static void configure() {
        System.setProperty("io.netty.noUnsafe", "true");
        System.setProperty("io.netty.jfr.enabled", "false");
        System.setProperty("io.netty.allocator.type", "unpooled");
        // Parts of channel ids, which nobody sees; else found out by enumerating the network interfaces.
        System.setProperty("io.netty.machineId", "00:00:00:00:00:01");
        System.setProperty("io.netty.processId", "1");
        InternalLoggerFactory.setDefaultFactory(new SilentLoggerFactory());
    }
}
