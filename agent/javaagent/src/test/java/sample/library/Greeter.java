package sample.library;

/** Stands for a library of the app: each test loads it anew. */
public class Greeter extends Base {
    @SuppressWarnings("unused") // looked up by its name
    private final String secret = "secret";

    public String greet(String name) {
        return "hello " + name;
    }

    public int length(String text) {
        return text.length();
    }
}
