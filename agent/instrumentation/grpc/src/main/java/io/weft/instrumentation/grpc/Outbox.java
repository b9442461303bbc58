package io.weft.instrumentation.grpc;

import io.grpc.internal.ClientStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What the app has sent of one call: all of it until a first attempt takes it, and after that what a further attempt would need, within
 * a limit. For one thread at a time.
 */
final class Outbox {
    /** Messages, and whether those after it are to be compressed. */
    private final List<Object> sent = new ArrayList<>(2);

    /** No attempt has taken anything yet. */
    private boolean untouched = true;

    /** Bytes on the wire that may be kept for a further attempt; below 0: none will follow. */
    private long limit = -1;

    private boolean whole = true;

    /** On the wire, of all that is kept once an attempt has taken it. */
    private long kept;

    /** Whether another attempt would get all that the app has sent. */
    boolean isWhole() {
        return whole;
    }

    /** @param limit bytes on the wire; below 0: nothing is kept any more */
    void keepsWithin(long limit) {
        this.limit = limit;
    }

    /** All that is there, to an attempt that has just begun. */
    void sendAll(ClientStream stream) {
        untouched = false;
        kept = 0;
        for (Object part : sent) {
            keep(part);
        }
        List<Object> parts = List.copyOf(sent);
        if (!whole) {
            drop();
        }
        for (Object part : parts) {
            send(part, stream);
        }
    }

    /**
     * @param part a {@link Message}, or whether the next ones are compressed
     * @param stream null: no attempt takes it yet
     */
    void add(Object part, ClientStream stream) {
        if (stream == null) {
            if (untouched || whole) {
                sent.add(part);
            }
            return;
        }
        keep(part);
        if (whole) {
            sent.add(part);
        } else {
            drop();
        }
        send(part, stream);
    }

    private static void send(Object part, ClientStream stream) {
        if (part instanceof Message message) {
            stream.writeMessage(message.open());
        } else {
            stream.setMessageCompression((Boolean) part);
        }
    }

    private void keep(Object part) {
        whole &= limit >= 0;
        if (!whole || !(part instanceof Message message)) {
            return;
        }
        try {
            long length = message.length() < 0 ? message.copy().length : message.length();
            kept += length + Message.PREFIX_BYTES;
            if (kept > limit) {
                whole = false;
            } else {
                message.copy();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** -1: not known. */
    long bytes() {
        if (!untouched) {
            return kept;
        }
        try {
            long bytes = 0;
            for (Object part : sent) {
                if (part instanceof Message message) {
                    long length = message.length();
                    if (length < 0) {
                        return -1;
                    }
                    bytes += length + Message.PREFIX_BYTES;
                }
            }
            return bytes;
        } catch (IOException appsOwn) {
            // It will fail again where it is sent.
            return -1;
        }
    }

    /**
     * As it goes over the wire, not compressed.
     *
     * @return null: there is more
     */
    byte[] framed(int maxBytes) {
        ByteArrayOutputStream framed = new ByteArrayOutputStream();
        try {
            for (Object part : sent) {
                if (part instanceof Message message) {
                    if (framed.size() + Math.max(0, message.length()) + Message.PREFIX_BYTES > maxBytes) {
                        return null;
                    }
                    byte[] bytes = message.copy();
                    framed.writeBytes(ByteBuffer.allocate(Message.PREFIX_BYTES).put((byte) 0).putInt(bytes.length).array());
                    framed.writeBytes(bytes);
                }
            }
        } catch (IOException appsOwn) {
            // It will fail again where it is sent.
            return null;
        }
        return framed.size() > maxBytes ? null : framed.toByteArray();
    }

    /** Nothing of it is needed any more. */
    void close() {
        sent.forEach(part -> {
            if (part instanceof Message message) {
                message.close();
            }
        });
        drop();
    }

    private void drop() {
        sent.clear();
        whole = false;
    }
}
