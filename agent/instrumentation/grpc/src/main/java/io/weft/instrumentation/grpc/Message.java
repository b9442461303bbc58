package io.weft.instrumentation.grpc;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** One message of the app's as its marshaller gives it, which can be read once; or a copy that can be read again. */
final class Message {
    /** What comes before each one on the wire: a flag and the length. */
    static final int PREFIX_BYTES = 5;

    /** Null: there is a copy. */
    private InputStream original;

    /** Null: there is none. */
    private byte[] copy;

    Message(InputStream original) {
        this.original = original;
    }

    /** -1: not known yet. */
    long length() throws IOException {
        if (copy != null) {
            return copy.length;
        }
        return original instanceof KnownLength ? original.available() : -1;
    }

    /** From now on it can be read again. */
    byte[] copy() throws IOException {
        if (copy == null) {
            copy = original.readAllBytes();
            original.close();
            original = null;
        }
        return copy;
    }

    /** To be written and closed by a stream; the last one unless there is a copy. */
    InputStream open() {
        return copy == null ? original : new Copy(copy);
    }

    /** Nobody wants it any more. */
    void close() {
        if (original == null) {
            return;
        }
        try {
            original.close();
        } catch (IOException appsOwn) {
            // The app's stream of a message that is not sent: as when the library drops one.
            return;
        }
    }

    private static final class Copy extends ByteArrayInputStream implements KnownLength, Drainable {
        Copy(byte[] bytes) {
            super(bytes);
        }

        @Override
        public int drainTo(OutputStream target) throws IOException {
            int length = count - pos;
            target.write(buf, pos, length);
            pos = count;
            return length;
        }
    }
}
