p
" 
aaaaaaaaaaaaaaaabbbbbbbb*ÿ