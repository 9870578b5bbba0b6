using VoiceGrains.Grains.Transfers;

namespace VoiceGrains.Grains.Tools.BuiltIn;

/// <summary>What a built-in tool can do to its call. Only on the call's loop: before the tool's first await.</summary>
internal interface ICallControl
{
    /// <summary>Null: this medium cannot transfer.</summary>
    ITransferPort? Transfers { get; }

    /// <summary>Says last words and ends the call once they were heard.</summary>
    /// <param name="text">What to say.</param>
    /// <param name="unlessUserActs">The user can interrupt, and the call then goes on.</param>
    void SayAndEnd(string text, bool unlessUserActs);

    /// <summary>Plays keypad digits after what is being said: beside the sound where the medium can, else as tones.</summary>
    void PlayTones(string digits, TimeSpan tone, TimeSpan space);

    /// <summary>Completes once all that was said or played so far has been heard.</summary>
    Task WhenAllHeard(CancellationToken cancellationToken);
}
