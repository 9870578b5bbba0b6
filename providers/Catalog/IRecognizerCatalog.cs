using System.Diagnostics.CodeAnalysis;
using VoiceGrains.Providers.Recognition;

namespace VoiceGrains.Providers.Catalog;

/// <summary>The recognizers that listen.</summary>
public interface IRecognizerCatalog
{
    /// <summary>Finds the recognizer for a language (BCP 47 code or null). False when the configured engine is not installed.</summary>
    bool TryResolve(string? languageHint, [NotNullWhen(true)] out ResolvedRecognizer? recognizer);
}

/// <param name="Recognizer">Measured.</param>
/// <param name="Provider">The provider's configured name.</param>
public sealed record ResolvedRecognizer(IRecognizer Recognizer, string Provider);
