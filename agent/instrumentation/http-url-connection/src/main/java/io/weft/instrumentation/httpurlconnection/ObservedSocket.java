package io.weft.instrumentation.httpurlconnection;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketTimeoutException;

/** Tells that bytes move, below whatever streams the JDK and the app put upon each other. */
final class ObservedSocket extends Socket {

    interface Observer {
        void bytesSent();

        /** Somebody waits for the next ones. */
        void awaitsBytes();

        void bytesReceived();

        /** The peer will send nothing more. */
        void peerLeft();
    }

    private final Observer observer;

    /** Null: nobody has asked for it. The JDK does so for each response; for one thread at a time. */
    private InputStream input;

    /** Of this thread's question. */
    private boolean withoutMine;

    /** As the JDK makes its own for this: what leads past a proxy does so for each kind of proxy. */
    ObservedSocket(Observer observer) {
        super(Proxy.NO_PROXY);
        this.observer = observer;
    }

    /** What streams upon this one's have read already and not given out: what else has come, only a system call can tell. */
    int buffered(InputStream upon) throws IOException {
        withoutMine = true;
        try {
            return upon.available();
        } finally {
            withoutMine = false;
        }
    }

    @Override
    public InputStream getInputStream() throws IOException {
        // First: it says when there is none any more.
        InputStream unobserved = super.getInputStream();
        if (input == null) {
            input = observed(unobserved);
        }
        return input;
    }

    private InputStream observed(InputStream unobserved) {
        return new FilterInputStream(unobserved) {
            @Override
            public int available() throws IOException {
                return withoutMine ? 0 : in.available();
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                int read;
                observer.awaitsBytes();
                try {
                    read = in.read(bytes, offset, length);
                } catch (SocketTimeoutException appsPatience) {
                    throw appsPatience;
                } catch (IOException e) {
                    if (!isClosed()) {
                        observer.peerLeft();
                    }
                    throw e;
                }
                if (read < 0) {
                    observer.peerLeft();
                } else {
                    observer.bytesReceived();
                }
                return read;
            }
        };
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        return new FilterOutputStream(super.getOutputStream()) {
            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                out.write(bytes, offset, length);
                observer.bytesSent();
            }
        };
    }
}
