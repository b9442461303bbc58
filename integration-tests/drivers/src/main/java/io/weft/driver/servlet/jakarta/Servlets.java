package io.weft.driver.servlet.jakarta;

import io.weft.driver.ServerDriver;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.websocket.OnMessage;
import jakarta.websocket.server.ServerEndpoint;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * What servlet containers have in common; of {@link ServerDriver#answer} and beside it. For the servlet API's old name the build makes a
 * copy of this class.
 */
public final class Servlets {
    private Servlets() {}

    private static long millis(HttpServletRequest request) {
        return Long.parseLong(request.getPathInfo().substring(1));
    }

    public static final class Answer extends HttpServlet {
        private final transient String instance;

        public Answer(String instance) {
            this.instance = instance;
        }

        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
            if (request.getRequestURI().equals("/seen")) {
                response.getWriter().print(request.getScheme() + ' ' + request.isSecure() + ' ' + request.getRequestURL() + ' '
                        + request.getAttribute("jakarta.servlet.request.X509Certificate") + ' ' + request.getProtocol());
                return;
            }
            try {
                response.getWriter().print(ServerDriver.answer(
                        instance, request.getRequestURI(), request::getHeader, request.getInputStream()));
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }

    public static final class Async extends HttpServlet {
        private final transient String instance;
        private final transient ScheduledExecutorService later;

        public Async(String instance, ScheduledExecutorService later) {
            this.instance = instance;
            this.later = later;
        }

        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) {
            AsyncContext async = request.startAsync();
            later.schedule(() -> {
                response.getWriter().print(instance);
                async.complete();
                return null;
            }, millis(request), TimeUnit.MILLISECONDS);
        }
    }

    public static final class Dispatch extends HttpServlet {
        private final transient ScheduledExecutorService later;

        public Dispatch(ScheduledExecutorService later) {
            this.later = later;
        }

        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) {
            AsyncContext async = request.startAsync();
            later.schedule(() -> async.dispatch("/slow/0"), millis(request), TimeUnit.MILLISECONDS);
        }
    }

    public static final class Chunks extends HttpServlet {
        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
            for (String chunk : new String[] {"one ", "two ", "three"}) {
                response.getWriter().print(chunk);
                response.flushBuffer();
            }
        }
    }

    public static final class Fail extends HttpServlet {
        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) {
            throw new IllegalStateException("asked to fail");
        }
    }

    public static final class Grpc extends HttpServlet {
        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
            request.getInputStream().readAllBytes();
            response.setContentType("application/grpc");
            response.setTrailerFields(() -> Map.of("grpc-status", "7"));
            response.getOutputStream().write(new byte[5]);
        }
    }

    /** Sends back what it is sent. */
    @ServerEndpoint("/echo")
    public static final class Echo {
        @OnMessage
        public String echo(String message) {
            return message;
        }
    }
}
