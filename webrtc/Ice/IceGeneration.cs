using System.Text;

namespace VoiceGrains.WebRtc.Ice;

/// <summary>One set of local credentials: an agent has one, and for a while two after a restart.</summary>
internal sealed class IceGeneration(IceLiteAgent agent, IceCredentials credentials)
{
    private readonly byte[] _password = Encoding.ASCII.GetBytes(credentials.Password);

    public IceLiteAgent Agent => agent;

    public IceCredentials Credentials => credentials;

    /// <summary>Key of the short-term mechanism (RFC 8489 §9.1.1): the password, all of it ASCII.</summary>
    public ReadOnlySpan<byte> Key => _password;
}
