using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.DataConnections;

/// <summary>Where a data connection delivers what it gets and what becomes of it. Called from any thread; must not block.</summary>
internal interface IDataConnectionListener
{
    /// <summary>One data message, untrusted UTF-8; valid only during the call.</summary>
    void OnConnectionData(ReadOnlySpan<byte> json);

    /// <summary>For the call's event log.</summary>
    void OnConnectionNotice(ConnectionNotice notice);
}

/// <summary>A remark for the call's event log. <paramref name="Type"/> is the event's type.</summary>
internal sealed record ConnectionNotice(Severity Severity, string Type, string Text);
