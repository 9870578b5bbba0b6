using System.Text;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// Collects the keys that a caller presses into user messages, as the medium's <c>dtmfHandling</c> says. Keys that follow each other quickly are one message.
/// At most 20 a second are taken, twice what automatic diallers send, and 64 in one message.
/// </summary>
internal sealed class DtmfInput(CallMedium medium)
{
    private const int MostPerSecond = 20;
    private const int MostDigits = 64;
    private const string Placeholder = "{digits}";

    private readonly DtmfHandling? _handling = medium switch
    {
        { Twilio.DtmfHandling: { } handling } => handling,
        { Telnyx.DtmfHandling: { } handling } => handling,
        { Plivo.DtmfHandling: { } handling } => handling,
        { Exotel.DtmfHandling: { } handling } => handling,
        _ => null,
    };

    private readonly StringBuilder _digits = new();
    private TimeSpan _second;
    private int _inSecond;

    public bool Ignores => _handling?.Ignore ?? false;

    public bool IsFull => _digits.Length >= MostDigits;

    /// <summary>False: keys come too fast, and this one is dropped.</summary>
    public bool TryAdd(char digit, TimeSpan now)
    {
        if (now - _second >= TimeSpan.FromSeconds(1)) (_second, _inSecond) = (now, 0);
        if (++_inSecond > MostPerSecond || IsFull) return false;
        _digits.Append(digit);
        return true;
    }

    /// <summary>The message made of the keys collected; null when there are none.</summary>
    public ClientMessage.UserText? Take()
    {
        if (_digits.Length == 0) return null;
        var template = _handling?.UserTextMessage;
        var text = template?.Text is { Length: > 0 } given ? given.Replace(Placeholder, _digits.ToString(), StringComparison.Ordinal) : _digits.ToString();
        var urgency = template?.Urgency is { } asked and not Urgency.Unspecified ? asked : Urgency.Immediate;
        _digits.Clear();
        return new ClientMessage.UserText(text, urgency, "UI");
    }
}
