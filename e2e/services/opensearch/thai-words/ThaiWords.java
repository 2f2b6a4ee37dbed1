import java.text.BreakIterator;
import java.text.CharacterIterator;
import java.text.spi.BreakIteratorProvider;
import java.util.Locale;

/**
 * The Java runtime of the tests has no Thai word breaker, and OpenSearch's analyzers refuse to start without one, whether a
 * test uses it or not. This one breaks words as in any other language.
 */
public class ThaiWords extends BreakIteratorProvider {
    @Override public Locale[] getAvailableLocales() {
        return new Locale[] { Locale.forLanguageTag("th") };
    }

    @Override public BreakIterator getWordInstance(Locale locale) {
        return new AnyBoundary(BreakIterator.getWordInstance(Locale.ROOT));
    }

    @Override public BreakIterator getSentenceInstance(Locale locale) {
        return BreakIterator.getSentenceInstance(Locale.ROOT);
    }

    @Override public BreakIterator getLineInstance(Locale locale) {
        return BreakIterator.getLineInstance(Locale.ROOT);
    }

    @Override public BreakIterator getCharacterInstance(Locale locale) {
        return BreakIterator.getCharacterInstance(Locale.ROOT);
    }

    /** Says yes to the question by which Lucene finds out whether there is a Thai word breaker. */
    private static final class AnyBoundary extends BreakIterator {
        private final BreakIterator words;

        AnyBoundary(BreakIterator words) {
            this.words = words;
        }

        @Override public boolean isBoundary(int offset) { return true; }
        @Override public Object clone() { return new AnyBoundary((BreakIterator) words.clone()); }
        @Override public int first() { return words.first(); }
        @Override public int last() { return words.last(); }
        @Override public int next(int n) { return words.next(n); }
        @Override public int next() { return words.next(); }
        @Override public int previous() { return words.previous(); }
        @Override public int following(int offset) { return words.following(offset); }
        @Override public int current() { return words.current(); }
        @Override public CharacterIterator getText() { return words.getText(); }
        @Override public void setText(CharacterIterator text) { words.setText(text); }
    }
}
