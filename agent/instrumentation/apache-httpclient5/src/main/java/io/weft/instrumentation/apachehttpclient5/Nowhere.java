package io.weft.instrumentation.apachehttpclient5;

import java.nio.ByteBuffer;
import java.util.List;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.nio.DataStreamChannel;

/** Of a {@link SentBody}, which has nothing to send. */
enum Nowhere implements DataStreamChannel {
    INSTANCE;

    @Override
    public void requestOutput() {}

    @Override
    public int write(ByteBuffer src) {
        return 0;
    }

    @Override
    public void endStream() {}

    @Override
    public void endStream(List<? extends Header> trailers) {}
}
