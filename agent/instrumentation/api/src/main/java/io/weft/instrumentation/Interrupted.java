package io.weft.instrumentation;

import java.net.SocketException;
import java.nio.channels.ClosedByInterruptException;

/** A virtual thread that is interrupted while it waits for a socket, and any thread that waits for a channel, has the JDK close that. */
public final class Interrupted {
    /** Of {@link java.net.Socket}, from 21 on: the only thing by which this differs from what a peer has done. */
    private static final String CLOSED = "Closed by interrupt";

    private Interrupted() {}

    /** On the thread that had the failure. Whether it is the app that has ended what it waited for. */
    public static boolean hasClosed(Throwable failure) {
        if (!Thread.currentThread().isInterrupted()) {
            return false;
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ClosedByInterruptException || cause instanceof SocketException && CLOSED.equals(cause.getMessage())) {
                return true;
            }
        }
        return false;
    }
}
