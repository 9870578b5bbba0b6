using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;

namespace VoiceGrains.WebRtc.Ice;

/// <summary>Local username fragments of all agents on one endpoint. Thread-safe; a look-up neither locks nor allocates.</summary>
internal sealed class IceDirectory
{
    private readonly ConcurrentDictionary<ulong, IceGeneration> _generations = new();

    /// <summary>Makes credentials whose fragment no one has and registers them.</summary>
    public IceGeneration Register(IceLiteAgent agent)
    {
        while (true)
        {
            var generation = new IceGeneration(agent, IceCredentials.Create());
            if (_generations.TryAdd(KeyOf(generation), generation))
                return generation;
        }
    }

    public void Remove(IceGeneration generation) => _generations.TryRemove(new(KeyOf(generation), generation));

    /// <summary>Finds whom a check's USERNAME, "local:remote" (RFC 8445 §7.2.2), is for; the remote part is not judged (§7.3).</summary>
    public IceGeneration? Find(ReadOnlySpan<byte> username)
    {
        const int length = IceCredentials.FragmentLength;
        return username.Length > length && username[length] == (byte)':' && _generations.TryGetValue(BinaryPrimitives.ReadUInt64BigEndian(username), out var generation)
            ? generation
            : null;
    }

    private static ulong KeyOf(IceGeneration generation)
    {
        Span<byte> bytes = stackalloc byte[IceCredentials.FragmentLength];
        Encoding.ASCII.GetBytes(generation.Credentials.UsernameFragment, bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }
}
