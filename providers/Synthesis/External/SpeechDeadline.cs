using VoiceGrains.Providers.Http;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>
/// How long a provider may be silent: it owes the sound of what it was sent, and after the text's end all the rest. While it was sent nothing new, or the
/// listener is behind, it owes nothing. Told by the sender and the receiver, hence the lock.
/// </summary>
internal sealed class SpeechDeadline(string provider, ExternalProviderOptions options, TimeProvider clock, CancellationToken cancellationToken) : IDisposable
{
    /// <summary>Longest whole utterance, the listener's time included.</summary>
    private static readonly TimeSpan LongestUtterance = TimeSpan.FromMinutes(30);

    private readonly Lock _gate = new();
    private readonly PhaseTimeout _timeout = new(provider, LongestUtterance, clock, cancellationToken);
    private bool _isWaiting = true, _owesSound, _textEnded;

    /// <summary>Cancelled when the provider is late.</summary>
    public CancellationToken Token => _timeout.Token;

    /// <summary>Text is about to be sent.</summary>
    public void TextSent()
    {
        lock (_gate)
        {
            if (_owesSound) return;
            _owesSound = true;
            if (_isWaiting) ArmFirst();
        }
    }

    /// <summary>The end of the text is about to be sent.</summary>
    public void TextEnded()
    {
        lock (_gate)
        {
            _textEnded = true;
            if (_isWaiting && !_owesSound) ArmNext();
        }
    }

    /// <summary>Sound came; the listener's time begins.</summary>
    public void SoundCame()
    {
        lock (_gate)
        {
            (_isWaiting, _owesSound) = (false, false);
            _timeout.Disarm();
        }
    }

    /// <summary>The receiver is ready for the next message.</summary>
    public void Wait()
    {
        lock (_gate)
        {
            var wasWaiting = _isWaiting;
            _isWaiting = true;
            if (_owesSound && !wasWaiting) ArmFirst();
            else if (!_owesSound && _textEnded) ArmNext();
        }
    }

    /// <inheritdoc cref="PhaseTimeout.Translate"/>
    public Exception Translate(OperationCanceledException exception) => _timeout.Translate(exception);

    public void Dispose() => _timeout.Dispose();

    private void ArmFirst() => _timeout.Arm("sound", options.FirstSoundTimeout);

    private void ArmNext() => _timeout.Arm("more sound", options.StallTimeout);
}
