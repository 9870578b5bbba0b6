namespace VoiceGrains.Providers.Synthesis;

/// <summary>A sentence or clause to speak.</summary>
/// <param name="Text">The words with their spacing.</param>
/// <param name="Start">Offset in the utterance's text.</param>
internal readonly record struct TextPiece(string Text, int Start)
{
    public int End => Start + Text.Length;

    /// <summary>Whether there is anything to say in it.</summary>
    public bool HasWords => Text.Any(char.IsLetterOrDigit);
}
