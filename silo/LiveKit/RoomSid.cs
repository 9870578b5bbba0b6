using System.Security.Cryptography;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>Names of rooms, participants and tracks, in the form that clients expect: a track whose name does not begin with <c>TR</c> is never heard.</summary>
internal static class RoomSid
{
    private const string Characters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

    public static string Room() => "RM_" + RandomNumberGenerator.GetString(Characters, 12);

    public static string Participant() => "PA_" + RandomNumberGenerator.GetString(Characters, 12);

    public static string Track() => "TR_" + RandomNumberGenerator.GetString(Characters, 12);
}
