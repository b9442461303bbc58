package io.weft.instrumentation.okhttp;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import okhttp3.MultipartBody;
import okhttp3.RequestBody;
import okio.BufferedSink;
import okio.Okio;

/** What the library tells of request bodies. Thread-safe. */
final class Bodies {
    /** That of a file, where no name tells it: the third anonymous class of 3.12. */
    private static final String FILE_BODY = "okhttp3.RequestBody$3";

    /** Null in 3.12. */
    private final MethodHandle isOneShot;

    /** Null in 3.12. */
    private final MethodHandle isDuplex;

    Bodies() throws IllegalAccessException {
        isOneShot = optional("isOneShot");
        isDuplex = optional("isDuplex");
    }

    private static MethodHandle optional(String name) throws IllegalAccessException {
        try {
            return MethodHandles.publicLookup().findVirtual(RequestBody.class, name, MethodType.methodType(boolean.class));
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    /** Below 0: it is not known. */
    long length(RequestBody body) {
        try {
            return body.contentLength();
        } catch (IOException | RuntimeException e) {
            // The app's own body has failed; it will again, where the app sees it.
            return -1;
        }
    }

    boolean isRepeatable(RequestBody body) {
        if (isOneShot == null) {
            return isMade(body);
        }
        try {
            return !(boolean) isOneShot.invokeExact(body) && !(boolean) isDuplex.invokeExact(body);
        } catch (Throwable e) {
            // The app's own body has failed. Whoever sends it once does as the app says.
            return false;
        }
    }

    /** In 3.12 an app cannot say that its body may be read once, so that only the library's own are known to be read again. */
    private static boolean isMade(RequestBody body) {
        if (body instanceof MultipartBody multipart) {
            return multipart.parts().stream().allMatch(part -> isMade(part.body()));
        }
        return body.getClass().getName().startsWith("okhttp3.");
    }

    /** @return null when it cannot be had at no cost, or is longer */
    byte[] copy(RequestBody body, int maxBytes) {
        long length = length(body);
        if (length > maxBytes || !isRepeatable(body) || isOnDisk(body)) {
            return null;
        }
        LimitedSink limited = new LimitedSink(maxBytes);
        try {
            BufferedSink sink = Okio.buffer(limited);
            body.writeTo(sink);
            sink.flush();
            return limited.bytes();
        } catch (IOException | RuntimeException e) {
            // The app's own body has failed; it will again, where the app sees it.
            return null;
        }
    }

    private boolean isOnDisk(RequestBody body) {
        if (body instanceof MultipartBody multipart) {
            return multipart.parts().stream().anyMatch(part -> isOnDisk(part.body()));
        }
        String kind = body.getClass().getName();
        return kind.contains("asRequestBody") || isOneShot == null && kind.equals(FILE_BODY);
    }
}
