/* Instructions of AVX-512 on a processor that lacks them: each is counted and passed over. What they compute is not
 * needed where integers alone decide how often a loop runs. But compilers keep addresses in vector registers: moves
 * between memory, vector registers and others are done, with what this processor lacks of the registers kept here.
 * Source: Intel's Software Developer's Manual, volume 2, chapter 2. */
#include <string.h>

/* An instruction of vectors or masks: its operation code, the map of these that it is in, where its operands are told
 * (ModRM) and where it ends. */
typedef struct {
    int opcode, map;
    const unsigned char *modrm, *end;
} instruction;

static instruction decode(const unsigned char *p)
{
    instruction i = {.map = -1};
    if (p[0] == 0x62) /* EVEX */
        i = (instruction){p[4], p[1] & 7, p + 5, NULL};
    else if (p[0] == 0xc4) /* VEX */
        i = (instruction){p[3], p[1] & 31, p + 4, NULL};
    else if (p[0] == 0xc5)
        i = (instruction){p[2], 1, p + 3, NULL};
    else
        abort();
    const int mod = *i.modrm >> 6, has_sib = mod != 3 && (*i.modrm & 7) == 4;
    const int base = i.modrm[has_sib] & 7;
    const int has_number = i.map == 3 || (i.map == 1 && ((i.opcode >= 0x70 && i.opcode <= 0x73) || i.opcode == 0xc2 ||
                                                         (i.opcode >= 0xc4 && i.opcode <= 0xc6)));
    i.end = i.modrm + 1 + has_sib + (mod == 1 ? 1 : mod == 2 || (mod == 0 && base == 5) ? 4 : 0) + has_number;
    return i;
}

static const int names[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

/* The address that a move of `size` bytes names. */
static char *address(const unsigned char *p, const instruction *i, const greg_t *reg, int size)
{
    const int mod = *i->modrm >> 6, has_sib = (*i->modrm & 7) == 4, sib = i->modrm[has_sib];
    const int base = (sib & 7) | (~p[1] >> 2 & 8), index = (sib >> 3 & 7) | (~p[1] >> 3 & 8);
    const int no_base = mod == 0 && (base & 7) == 5;
    const unsigned char *offset = i->modrm + 1 + has_sib;
    int far;
    memcpy(&far, offset, sizeof far);
    greg_t at = !no_base ? reg[names[base]] : has_sib ? 0 : (greg_t)i->end;
    if (has_sib && index != 4)
        at += reg[names[index]] * (1 << (sib >> 6));
    return (char *)(at + (mod == 1 ? (signed char)*offset * size : mod == 2 || no_base ? far : 0));
}

/* A vector register, as far as this processor has it: half of the first sixteen, saved in two places. */
static void copy_register(mcontext_t *saved, int number, char (*kept)[64], int back)
{
    char *half[2] = {(char *)&saved->fpregs->_xmm[number & 15], (char *)saved->fpregs + 576 + 16 * (number & 15)};
    for (int k = 0; k < 2 && number < 16; k++)
        memcpy(back ? half[k] : kept[number] + 16 * k, back ? kept[number] + 16 * k : half[k], 16);
    if (back)
        ((char *)saved->fpregs)[512] |= 6; /* both are to be restored */
}

/* Called for an instruction that this processor lacks. */
static void on_unknown(int signal, siginfo_t *info, void *context)
{
    static char kept[32][64];
    mcontext_t *saved = &((ucontext_t *)context)->uc_mcontext;
    greg_t *reg = saved->gregs;
    const unsigned char *p = (const unsigned char *)reg[REG_RIP];
    const instruction i = decode(p);
    const int prefix = p[2] & 3, code = i.opcode, of_general = prefix == 1 && (code == 0x6e || code == 0x7e);
    const int loads = code == 0x10 || code == 0x28 || code == 0x6e || code == 0x6f || (code == 0x7e && prefix == 2);
    const int stores = !loads && (code == 0x11 || code == 0x29 || code == 0x7e || code == 0x7f || code == 0xd6);
    const int scalar = of_general || code == 0x7e || code == 0xd6 || (code <= 0x11 && prefix >= 2);
    const size_t size = !scalar ? (size_t)16 << (p[3] >> 5 & 3) : p[2] & 128 ? 8 : 4;
    const int of = (*i.modrm >> 3 & 7) | (~p[1] >> 4 & 8) | (~p[1] & 16), in_register = *i.modrm >= 0xc0;
    const int other = (*i.modrm & 7) | (~p[1] >> 2 & 8), other_vector = other | (~p[1] >> 2 & 16);
    (void)signal;
    (void)info;
    if (p[0] == 0x62 && i.map == 1 && (p[3] & 7) == 0 && (loads || stores)) {
        char *at = !in_register ? address(p, &i, reg, (int)size)
                   : of_general ? (char *)&reg[names[other]]
                                : kept[other_vector];
        copy_register(saved, of, kept, 0);
        if (in_register && !of_general)
            copy_register(saved, other_vector, kept, 0);
        char *from = loads ? at : kept[of], value[64] = {0};
        memcpy(value, from, size);
        memcpy(loads ? kept[of] : at, value, in_register && of_general && stores ? 8 : loads ? sizeof value : size);
        copy_register(saved, of, kept, 1);
        if (in_register && !of_general)
            copy_register(saved, other_vector, kept, 1);
    }
    reg[REG_RIP] = (greg_t)i.end;
    counted++;
}
