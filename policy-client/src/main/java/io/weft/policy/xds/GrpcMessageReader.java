package io.weft.policy.xds;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.function.Consumer;

/** Cuts DATA frames into gRPC's length-prefixed messages. */
final class GrpcMessageReader {
    private static final int PREFIX = 5;
    private static final int FIRST_CHUNK = 64 * 1024;

    private final int maxMessageBytes;
    private final Consumer<byte[]> messages;

    private int prefixRead;
    private int flag;
    private int length;
    private byte[] body = new byte[0];
    private int bodyRead;

    GrpcMessageReader(int maxMessageBytes, Consumer<byte[]> messages) {
        this.maxMessageBytes = maxMessageBytes;
        this.messages = messages;
    }

    /** @throws GrpcFramingException the stream cannot be read any further */
    void read(ByteBuf data) {
        while (true) {
            while (prefixRead < PREFIX) {
                if (!data.isReadable()) {
                    return;
                }
                prefix(data.readByte());
            }
            if (!readBody(data)) {
                return;
            }
            byte[] message = body;
            body = new byte[0];
            prefixRead = 0;
            messages.accept(message);
        }
    }

    boolean insideMessage() {
        return prefixRead > 0;
    }

    private void prefix(byte next) {
        if (prefixRead++ == 0) {
            flag = next;
            length = 0;
            return;
        }
        length = length << 8 | next & 0xff;
        if (prefixRead < PREFIX) {
            return;
        }
        if (flag != 0) {
            throw new GrpcFramingException("a message with flag " + (flag & 0xff)
                    + " came although no compression was offered");
        }
        if (length < 0 || length > maxMessageBytes) {
            throw new GrpcFramingException("a message of " + Integer.toUnsignedString(length)
                    + " bytes came; at most " + maxMessageBytes + " are read");
        }
        bodyRead = 0;
    }

    // The announced length is not believed: memory grows with what really arrives.
    private boolean readBody(ByteBuf data) {
        while (bodyRead < length) {
            int available = Math.min(data.readableBytes(), length - bodyRead);
            if (available == 0) {
                return false;
            }
            if (body.length < bodyRead + available) {
                long grown = Math.max(Math.max(FIRST_CHUNK, bodyRead + (long) available), 2L * body.length);
                body = Arrays.copyOf(body, (int) Math.min(grown, length));
            }
            data.readBytes(body, bodyRead, available);
            bodyRead += available;
        }
        return true;
    }
}
